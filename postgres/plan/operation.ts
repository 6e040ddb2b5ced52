import type { SchemaChange } from "../change.ts";
import type { NotNullHelper } from "./helper.ts";
import type { ExpressionShapes } from "../text/expression_shape.ts";
import type { Table } from "../table.ts";

/** How careful a change of a table with rows must be. */
export type Online =
  /** Without stopping users where PostgreSQL can, else in one go. */
  | "Prefer"
  /** What would stop users is refused. */
  | "Require"
  /** Everything in one transaction. */
  | "Never";

/** What steps depend on beside the changes. */
export interface StepContext {
  /** With the new names of its columns; `undefined`: the table is to be made. */
  readonly observed: Table | undefined;
  readonly desired: Table;
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly online: Online;
  /** Whether the table has no rows: then nobody waits for a scan. */
  readonly isEmpty: boolean;
  readonly helpers: readonly NotNullHelper[];
  /** By column name: `pg_attribute.attnum`. */
  readonly columnNumbers: ReadonlyMap<string, number>;
  /** Names of relations and constraints of the schema that a new part should not have. */
  readonly takenNames: ReadonlySet<string>;
  /** Of unnamed checks and of keys of unnamed indexes, by text. */
  readonly shapes: ExpressionShapes;
}

/** One change with the way in which it is made. */
export interface Operation {
  readonly change: SchemaChange;
  readonly mode: "Online" | "Direct";
  /** `Shared`: in one transaction with its neighbours; `Own`: in one of its own; `Concurrent`: in none. */
  readonly place: "Shared" | "Own" | "Concurrent";
}
