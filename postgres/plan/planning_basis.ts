import type { NotNullHelper } from "./helper.ts";
import type { Table } from "../table.ts";

/** What a plan may look at of a table that is there. */
export interface PlanningBasis {
  readonly table: Table;
  readonly version: number;
  readonly isEmpty: boolean;
  readonly helpers: readonly NotNullHelper[];
  readonly columnNumbers: ReadonlyMap<string, number>;
  readonly takenNames: ReadonlySet<string>;
}
