import type { Relation } from "../catalog/catalog.ts";
import type { PlannedTable, WantedTable } from "../plan/planning.ts";
import type { Transaction } from "../session/client.ts";
import type { Claimant, Conflict, Situation } from "../situation/situation.ts";
import type { Statement } from "../statement/statement.ts";
import type { ForeignKey } from "../table.ts";

/** What the caller decides about a plan: an empty list lets it run. `F` is the caller's kind of fault. */
export type Judge<F> = (plan: PlannedTable, situation: Situation) => readonly F[];

export interface ApplyRequest<F> extends Claimant, WantedTable {
  /** Of everything that the spec says about the table; kept with the row. */
  readonly specHash: string;
  /** Whether this object has had a table before: then it is never made again in silence in another database. */
  readonly wasMade: boolean;
  /** Which one that was, see `readDatabaseId()`: a table that this very database has lost is made again. */
  readonly madeIn?: string | undefined;
  /**
   * Whether nothing stands there, most likely, and `judge` and `verify` know all that `inspect` does: then it is made without a look
   * before. Absent: no.
   */
  readonly isNew?: boolean;
  /** Whether the object under this uid is the living one; asked past every cache before it takes a retained table. */
  readonly isLiving: () => Promise<boolean>;
  /** What only the catalog knows of a plan, asked in the transaction that is about to run it. */
  readonly verify: (
    transaction: Transaction,
    seen: { readonly plan: PlannedTable; readonly situation: Situation },
  ) => Promise<Verified<F>>;
  readonly judge: Judge<F>;
  /** Asked about every plan before its transaction: may look further than `judge`, which is asked again in it. */
  readonly inspect?: (plan: PlannedTable, situation: Situation) => Promise<readonly F[]>;
}

/** What the catalog says to a plan. */
export interface Verified<F> {
  readonly faults: readonly F[];
  /** Schemas of extensions whose functions and operators the plan's expressions call. */
  readonly searchPath: readonly string[];
}

export interface ApplyLimits {
  /** Longest wait for one lock, in milliseconds: so long may other users wait behind us. */
  readonly lockTimeoutMs: number;
  /** Longest run of one statement, in milliseconds; not of one that stops nobody. */
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
  /**
   * Called when something begins that takes long, `longestMs` at the most; what it returns, when that ends. `undefined`: it must not
   * begin now, since too much runs that has no limit (`Infinity`).
   */
  readonly pause?: (longestMs: number) => (() => void) | undefined;
}

export type ApplyOutcome<F> =
  /** The table is as it is wanted. `statements` are those that this call ran. */
  | {
    readonly kind: "done";
    readonly statements: readonly Statement[];
    readonly created: boolean;
    /** The table was there before, and is the object's from now on. */
    readonly adopted: boolean;
    readonly relation: Relation;
    /** Foreign keys to tables that are not there yet. */
    readonly waiting: readonly ForeignKey[];
  }
  | { readonly kind: "refused"; readonly faults: readonly F[]; readonly statements: readonly Statement[] }
  | { readonly kind: "conflict"; readonly conflict: Conflict }
  /** The schema is not there, or the role may not create in it. */
  | { readonly kind: "noSchema"; readonly exists: boolean }
  /** A newer generation of the same object has been here: this one has nothing to say any more. */
  | { readonly kind: "fenced"; readonly generation: number }
  /** Somebody else works on one of these names. */
  | { readonly kind: "busy" }
  /** What comes next has no limit, and too much of that runs already. */
  | {
    readonly kind: "postponed";
    readonly statements: readonly Statement[];
    readonly created: boolean;
    readonly adopted: boolean;
  };
