import type { SchemaChange } from "../change.ts";
import { alterAction } from "./alter_table.ts";
import {
  checkDefinition,
  columnDefinition,
  indexDefinition,
  primaryKeyDefinition,
  uniqueDefinition,
} from "./definition.ts";
import { type Hazard, hazardsOf } from "../hazard.ts";
import type { ForeignKey, Table } from "../table.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "../text/identifier.ts";

/** Lock modes as PostgreSQL's documentation names them, the strongest first. */
export type LockMode =
  | "ACCESS EXCLUSIVE"
  | "SHARE ROW EXCLUSIVE"
  | "SHARE"
  | "SHARE UPDATE EXCLUSIVE"
  | "ROW SHARE"
  | "ACCESS SHARE";

/** One SQL statement of a plan, without a semicolon, and what it does to others. */
export interface Statement {
  readonly sql: string;
  /** Every table that it locks, ours first, with the strongest mode; empty for a table that nobody can know yet. */
  readonly locks: readonly { readonly table: string; readonly mode: LockMode }[];
  readonly rewrites: boolean;
  readonly rebuildsIndexes: boolean;
  /** Values or rows are gone afterwards. */
  readonly destructive: boolean;
  /** Must run outside a transaction. */
  readonly concurrent: boolean;
  /** What may go wrong for the users of the table or its rows. */
  readonly hazards: readonly Hazard[];
}

/** How a change is made. */
export interface StatementOptions {
  /** The table's schema, and its name when the statement runs. */
  readonly schema: string;
  readonly name: string;
  /** PostgreSQL's major version. */
  readonly version: number;
  /** `Online`: new constraints NOT VALID, indexes CONCURRENTLY; `Direct`: in one go. */
  readonly mode: "Online" | "Direct";
  /** Whether the table has just been made in the same transaction. */
  readonly isNew: boolean;
  /** What hangs on the columns that change; absent: nothing is known of it. */
  readonly observed?: Table | undefined;
}

/** The statements of one change. */
export function statementsOf(change: SchemaChange, options: StatementOptions): readonly Statement[] {
  const statement = statementOf(change, options);
  if (change.kind !== "AddIdentity") return [statement];
  return [statement, { ...statement, sql: startSequence(change.column, options), locks: [], hazards: [] }];
}

function statementOf(change: SchemaChange, options: StatementOptions): Statement {
  const hazards = hazardsOf(change, options.mode);
  return {
    sql: sqlOf(change, options),
    locks: options.isNew || change.kind === "CreateTable" ? [] : locksOf(change, options),
    rewrites: hazards.includes("RewritesTable") && !options.isNew,
    rebuildsIndexes: (hazards.includes("RebuildsIndex") || changesIndexedText(change, options.observed)) &&
      !options.isNew,
    destructive: hazards.includes("DropsData"),
    concurrent: hazards.includes("OutsideTransaction"),
    hazards: options.isNew || change.kind === "CreateTable" ? [] : hazards,
  };
}

/** A new sequence starts at 1, also where the column has rows: it must start behind the greatest. */
function startSequence(column: string, { schema, name }: StatementOptions): string {
  const table = qualifiedName(schema, name);
  const sequence = `pg_get_serial_sequence(${quoteLiteral(table)}, ${quoteLiteral(column)})`;
  return `SELECT setval(${sequence}, greatest(coalesce(max(${
    quoteIdentifier(column)
  }), 0), 0) + 1, false) FROM ${table}`;
}

/** The statement that drops a whole table; never CASCADE, so that PostgreSQL refuses while others need it. */
export function dropTableStatement(table: { readonly schema: string; readonly name: string }): Statement {
  return {
    sql: `DROP TABLE ${qualifiedName(table.schema, table.name)}`,
    locks: [{ table: `${table.schema}.${table.name}`, mode: "ACCESS EXCLUSIVE" }],
    rewrites: false,
    rebuildsIndexes: false,
    destructive: true,
    concurrent: false,
    hazards: ["DropsData"],
  };
}

function locksOf(change: SchemaChange, options: StatementOptions): Statement["locks"] {
  const own = { table: `${options.schema}.${options.name}`, mode: lockMode(change, options.mode) };
  const others = referencesOf(change, options).map(({ schema, table }) => `${schema}.${table}`);
  const mode = otherLockMode(change);
  return [own, ...[...new Set(others)].filter((table) => table !== own.table).map((table) => ({ table, mode }))];
}

/** An index by an expression, or with a condition, is built again whenever the type of a column in it changes. */
function changesIndexedText(change: SchemaChange, observed: Table | undefined): boolean {
  if (change.kind !== "ChangeType" || hazardsOf(change).includes("RewritesTable")) return false;
  const name = change.column.replaceAll('"', '""');
  return observed?.indexes.some(({ keys, where }) =>
    [where, ...keys.map(({ expression }) => expression)].some((text) => text?.includes(name))
  ) ?? false;
}

function lockMode(change: SchemaChange, mode: StatementOptions["mode"]): LockMode {
  switch (change.kind) {
    case "AddForeignKey":
      return "SHARE ROW EXCLUSIVE";
    case "CreateIndex":
    case "RebuildIndex":
      return mode === "Online" ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
    case "ValidateConstraint":
    case "SetTableComment":
    case "SetColumnComment":
    case "RenameIndex":
      return "SHARE UPDATE EXCLUSIVE";
    default:
      return "ACCESS EXCLUSIVE";
  }
}

function otherLockMode(change: SchemaChange): LockMode {
  switch (change.kind) {
    case "ValidateConstraint":
      return "ROW SHARE";
    case "DropConstraint":
    case "ChangeType":
    case "SetCollation":
      return "ACCESS EXCLUSIVE";
    default:
      return "SHARE ROW EXCLUSIVE";
  }
}

/** The tables that a change of a foreign key, or of what one stands on, touches. */
function referencesOf(change: SchemaChange, { observed }: StatementOptions): readonly ForeignKey["references"][] {
  switch (change.kind) {
    case "AddForeignKey":
      return [change.foreignKey.references];
    case "DropConstraint":
    case "ValidateConstraint":
      return change.references === undefined ? [] : [change.references];
    case "ChangeType":
    case "SetCollation":
      // Its keys are made anew.
      return (observed?.foreignKeys ?? []).filter(({ columns }) => columns.includes(change.column))
        .map(({ references }) => references);
    default:
      return [];
  }
}

function sqlOf(change: SchemaChange, options: StatementOptions): string {
  const table = qualifiedName(options.schema, options.name);
  switch (change.kind) {
    case "CreateTable":
      return createTable(change.table);
    case "SetTableComment":
      return `COMMENT ON TABLE ${table} IS ${commentText(change.comment)}`;
    case "SetColumnComment":
      return `COMMENT ON COLUMN ${table}.${quoteIdentifier(change.column)} IS ${commentText(change.comment)}`;
    case "CreateIndex":
    case "RebuildIndex":
      return indexDefinition(change.index, table, options.mode);
    case "DropIndex":
      return `DROP INDEX ${qualifiedName(options.schema, change.name)}`;
    case "RenameIndex":
      return `ALTER INDEX ${qualifiedName(options.schema, change.from)} RENAME TO ${quoteIdentifier(change.to)}`;
    default:
      return `ALTER TABLE ${table} ${alterAction(change, options)}`;
  }
}

function commentText(comment: string | undefined): string {
  return comment === undefined ? "NULL" : quoteLiteral(comment);
}

function createTable(table: Table): string {
  const keyed = table.primaryKey?.columns ?? [];
  const parts = [
    ...table.columns.map((column) => columnDefinition(column, keyed)),
    ...(table.primaryKey === undefined ? [] : [primaryKeyDefinition(table.primaryKey)]),
    ...table.uniques.map(uniqueDefinition),
    ...table.checks.map(checkDefinition),
  ];
  return `CREATE TABLE ${qualifiedName(table.schema, table.name)} (${parts.join(", ")})`;
}
