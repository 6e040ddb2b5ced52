import type { HistoryEntry, PlanStatus } from "../../crds/database_table/types.ts";
import type { FieldError } from "../../crds/field_error.ts";
import type { Relation } from "../../postgres/catalog/catalog.ts";
import type { Drift } from "./drift/drift.ts";

/** What a reconcile found, as far as users need to know it. */
export type Finding =
  | {
    readonly kind: "Ready";
    readonly relation: Relation;
    /** Of the table that the spec describes. */
    readonly specHash: string;
    /** The name of the database. */
    readonly database: string;
    /** See `readDatabaseId()`. */
    readonly databaseId?: string | undefined;
    /** What the spec named; absent: the default database. */
    readonly server?: string | undefined;
    /** Whether it may have been changed by hand since. */
    readonly ignoresDrift?: boolean;
  }
  /** The user must change something; nothing is retried before. */
  | {
    readonly kind: "Faulty";
    readonly reason: "InvalidSpec" | "PlanRefused" | "OwnershipConflict";
    readonly errors: readonly FieldError[];
  }
  /** Somebody changed the table, and the spec says that this is only reported. */
  | { readonly kind: "Drifted"; readonly message: string }
  /** Hands off: nobody looked. */
  | { readonly kind: "Suspended" }
  /** Looked at, and nothing is ever changed. */
  | { readonly kind: "Observed"; readonly isReached: boolean; readonly message: string }
  /** All is well but for something that somebody else makes; it is looked for again. */
  | { readonly kind: "Waiting"; readonly reason: string; readonly message: string }
  /** Somebody must approve the plan. */
  | { readonly kind: "Unapproved"; readonly message: string }
  /** Somebody must do something that is not a change of the spec. */
  | { readonly kind: "Stalled"; readonly reason: string; readonly message: string }
  /** Something outside is wrong; it is retried. */
  | {
    readonly kind: "Failing";
    readonly reason: string;
    readonly message: string;
    readonly databaseReachable: boolean;
  };

/** A finding, and what happened on the way to it. */
export interface Report {
  readonly finding: Finding;
  /** Where the table is not as the spec says; absent: nobody looked. */
  readonly drift?: Drift | undefined;
  readonly ran?: Ran | undefined;
  /** What has yet to run. */
  readonly plan?: PlanStatus | undefined;
}

/** What was run. */
export interface Ran {
  readonly change: HistoryEntry["change"];
  /** SQL; empty if a table was only taken over. */
  readonly statements: readonly string[];
}
