import type { SchemaChange } from "./change.ts";
import type { Column } from "./table.ts";
import { classifyTypeChange } from "./type_change.ts";

/** What may go wrong for the table's users or its rows when a change runs. */
export type Hazard =
  /** Rows or values are gone afterwards. */
  | "DropsData"
  /** Something that the change does not name goes with it. */
  | "DropsDependents"
  /** Every row is written again under an ACCESS EXCLUSIVE lock. */
  | "RewritesTable"
  /** Indexes are built again under an ACCESS EXCLUSIVE lock. */
  | "RebuildsIndex"
  /** Every row is read under a lock that others wait for. */
  | "ScansUnderLock"
  /** A lock on another table too. */
  | "LocksOtherTable"
  /** Whether it succeeds depends on the rows. */
  | "MayFailOnData"
  /** Statements of others that name the old table or column fail afterwards. */
  | "BreaksReaders"
  /** It cannot be rolled back together with the rest of the plan. */
  | "OutsideTransaction"
  /** Every existing row gets a value of its own. */
  | "VolatileDefault";

/**
 * Functions whose result differs from row to row: a default that calls one is computed for every existing row. Those of
 * PostgreSQL, uuid-ossp and pgcrypto.
 */
const VOLATILE =
  /\b(random(_normal)?|gen_random_(uuid|bytes)|gen_salt|uuidv[47]|uuid_generate_v\w+|clock_timestamp|timeofday|nextval)\s*\(/i;
/** A string may read like a call. */
const STRING = /\bE'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'/g;

/**
 * The hazards of one change when it runs as one statement on a table that may have rows, worst first; exhaustive over the
 * kinds of change.
 *
 * @param mode `Online`: an index is built CONCURRENTLY.
 */
export function hazardsOf(change: SchemaChange, mode: "Online" | "Direct" = "Direct"): readonly Hazard[] {
  switch (change.kind) {
    case "DropIdentity":
      return ["DropsDependents"];
    case "RenameTable":
    case "RenameColumn":
      return ["BreaksReaders"];
    case "AddColumn":
      return hazardsOfNewColumn(change.column);
    case "DropColumn":
      return ["DropsData", "DropsDependents", "BreaksReaders"];
    case "ChangeType":
      return hazardsOfTypeChange(change.from, change.to, change.using);
    case "SetCollation":
      return ["RebuildsIndex"];
    case "SetExpression":
      return ["RewritesTable"];
    case "SetNotNull":
    case "AddPrimaryKey":
    case "AddUnique":
    case "AddCheck":
      return ["ScansUnderLock", "MayFailOnData"];
    case "AddForeignKey":
      return ["ScansUnderLock", "LocksOtherTable", "MayFailOnData"];
    case "ValidateConstraint":
      return change.references === undefined ? ["MayFailOnData"] : ["LocksOtherTable", "MayFailOnData"];
    case "DropConstraint":
      return change.references === undefined ? [] : ["LocksOtherTable"];
    case "AddIdentity":
      // Its sequence starts behind the greatest value, which must not grow meanwhile. Only an index knows it at once.
      return ["ScansUnderLock", "MayFailOnData"];
    case "CreateIndex":
    case "RebuildIndex":
      return [
        mode === "Online" ? "OutsideTransaction" : "ScansUnderLock",
        ...(change.index.unique ? ["MayFailOnData"] as const : []),
      ];
    case "AttachIndex":
      return change.constraint === "primary key" ? ["MayFailOnData"] : [];
    default:
      return harmless(change.kind);
  }
}

/** Names every other kind, so that a new one must be judged. */
function harmless(
  _kind:
    | "CreateTable"
    | "SetTableComment"
    | "SetColumnComment"
    | "DropDefault"
    | "SetDefault"
    | "DropNotNull"
    | "SetIdentity"
    | "DropExpression"
    | "RenameConstraint"
    | "RenameIndex"
    | "AlterDeferrability"
    | "DropIndex",
): readonly Hazard[] {
  return [];
}

function hazardsOfNewColumn(column: Column): readonly Hazard[] {
  if (column.identity !== undefined || column.generated !== undefined) return ["RewritesTable"];
  if (column.default !== undefined) {
    return VOLATILE.test(column.default.replace(STRING, "''")) ? ["RewritesTable", "VolatileDefault"] : [];
  }
  // A constant default is stored once, in the catalog; without one, NOT NULL fails on the first row.
  return column.notNull ? ["MayFailOnData"] : [];
}

function hazardsOfTypeChange(from: string, to: string, using: string | undefined): readonly Hazard[] {
  const { kind, cost } = classifyTypeChange(from, to);
  // PostgreSQL cannot see that an expression changes nothing.
  const rewrites = cost === "Rewrites" || using !== undefined;
  return [
    ...(kind === "WidenType" && using === undefined ? [] : ["DropsData"] as const),
    ...(rewrites ? ["RewritesTable"] as const : []),
    ...(cost === "RebuildsIndexes" && !rewrites ? ["RebuildsIndex"] as const : []),
    ...(kind === "WidenType" && using === undefined ? [] : ["MayFailOnData", "BreaksReaders"] as const),
  ];
}
