import type { SchemaChange } from "./change.ts";

/** What may go wrong for the table's users or its rows when a change runs. */
export type Hazard =
  /** Rows or values are gone afterwards. */
  | "DropsData"
  /** Every row is written again under an ACCESS EXCLUSIVE lock. */
  | "RewritesTable"
  /** Every row is read under an ACCESS EXCLUSIVE lock. */
  | "ScansUnderLock"
  /** Whether it succeeds depends on the rows. */
  | "MayFailOnData"
  /** Statements of others that name the old table or column fail afterwards. */
  | "BreaksReaders";

/** The hazards of one change, worst first; exhaustive over the kinds of change. */
export function hazardsOf(change: SchemaChange): readonly Hazard[] {
  switch (change.kind) {
    case "CreateTable":
    case "DropDefault":
    case "SetDefault":
    case "DropNotNull":
    case "DropPrimaryKey":
      return [];
    case "RenameTable":
      return ["BreaksReaders"];
    case "AddColumn":
      // With a constant default PostgreSQL stores it once, in the catalog; without one, NOT NULL fails on the first row.
      return change.column.notNull && change.column.default === undefined ? ["MayFailOnData"] : [];
    case "SetNotNull":
      return ["ScansUnderLock", "MayFailOnData"];
    case "AddPrimaryKey":
      return ["ScansUnderLock", "MayFailOnData"];
    case "ChangeType":
      return ["DropsData", "RewritesTable", "MayFailOnData", "BreaksReaders"];
    case "DropColumn":
      return ["DropsData", "BreaksReaders"];
  }
}
