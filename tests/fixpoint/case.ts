import type { ChangeKind } from "../../postgres/change.ts";
import type { Hazard } from "../../postgres/hazard.ts";

/** The part of a manifest under `spec`, as a user writes it; the suite adds `schema`. */
export type Spec = Readonly<Record<string, unknown>>;

/** One way from one spec to another, and what must happen on it. */
export interface FixpointCase {
  readonly name: string;
  /** What stands there before; absent: nothing. */
  readonly old?: Spec;
  /** SQL that fills the old table; `{t}` is its name, `{s}` its schema. */
  readonly rows?: readonly string[];
  readonly next: Spec;
  /** The kinds of change that are planned, in order, separated by spaces; "" for none. */
  readonly changes: string;
  /** The same where PostgreSQL cannot change what a column is computed from: it takes along what hangs on the column. */
  readonly changesBefore17?: string;
  /** Every statement that ran, in order, without the schema. */
  readonly statements?: readonly string[];
  /** All hazards of the plan, sorted. */
  readonly hazards?: readonly Hazard[];
  /** Columns that the change does not keep, though both tables have them with the same type. */
  readonly loses?: readonly string[];
  /** The rows afterwards, as JSON, where types change. */
  readonly becomes?: readonly Readonly<Record<string, unknown>>[];
  /** SQL that must succeed afterwards. */
  readonly afterwards?: readonly string[];
  /** PostgreSQL prints expressions in another way than of a table that is made at once: after a changed type. */
  readonly printsOther?: true;
  /** The forecast is darker than what happens: the planner cannot know better. */
  readonly darkForecast?: true;
}

/** The kinds of a case as a list; typed so that a wrong word does not go unseen. */
export function kindsOf({ changes, changesBefore17 = changes }: FixpointCase, version: number): readonly ChangeKind[] {
  return (version < 17 ? changesBefore17 : changes).split(" ").filter((kind) => kind !== "") as ChangeKind[];
}

/** A table `T` with the key `ID integer` and more columns: `table({ A: "text" })`. */
export function table(columns: Readonly<Record<string, unknown>>, more: Spec = {}): Spec {
  const listed = Object.entries({ ID: "integer", ...columns }).map(([name, column]) => ({ [name]: column }));
  return { tableName: "T", columns: listed, primaryKey: "ID", ...more };
}
