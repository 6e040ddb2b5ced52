import type { SchemaChange } from "./change.ts";
import { hazardsOf } from "./hazard.ts";
import { qualifiedName, quoteIdentifier } from "./text/identifier.ts";
import type { Column, PrimaryKey, Table } from "./table.ts";

/** One SQL statement of a plan, without a semicolon, and what it does to others. */
export interface Statement {
  readonly sql: string;
  /** The strongest lock it takes on the table; `undefined` for a table that nobody can know yet. */
  readonly lock?: "ACCESS EXCLUSIVE" | "SHARE ROW EXCLUSIVE" | "SHARE UPDATE EXCLUSIVE";
  readonly rewrites: boolean;
  readonly destructive: boolean;
}

/**
 * The statements of a plan in the order of its changes; the table is named as it is called when each one runs.
 *
 * @param table Schema and name of the table before the first change.
 */
export function statementsFor(
  changes: readonly SchemaChange[],
  table: { readonly schema: string; readonly name: string },
): readonly Statement[] {
  let name = table.name;
  return changes.map((change) => {
    const sql = sqlOf(change, table.schema, name);
    if (change.kind === "RenameTable") name = change.to;
    const hazards = hazardsOf(change);
    const judged = {
      sql,
      rewrites: hazards.includes("RewritesTable"),
      destructive: hazards.includes("DropsData"),
    };
    return change.kind === "CreateTable" ? judged : { ...judged, lock: "ACCESS EXCLUSIVE" };
  });
}

/** The statement that drops a whole table; never CASCADE, so that PostgreSQL refuses while others need it. */
export function dropTableStatement(table: { readonly schema: string; readonly name: string }): Statement {
  return {
    sql: `DROP TABLE ${qualifiedName(table.schema, table.name)}`,
    lock: "ACCESS EXCLUSIVE",
    rewrites: false,
    destructive: true,
  };
}

function sqlOf(change: SchemaChange, schema: string, name: string): string {
  if (change.kind === "CreateTable") return createTable(change.table);
  return `ALTER TABLE ${qualifiedName(schema, name)} ${actionOf(change)}`;
}

function actionOf(change: Exclude<SchemaChange, { kind: "CreateTable" }>): string {
  switch (change.kind) {
    case "RenameTable":
      return `RENAME TO ${quoteIdentifier(change.to)}`;
    case "DropPrimaryKey":
      return `DROP CONSTRAINT ${quoteIdentifier(change.name)}`;
    case "AddColumn":
      return `ADD COLUMN ${columnDefinition(change.column, [])}`;
    case "ChangeType":
      return `${alterColumn(change.column)} TYPE ${change.to}`;
    case "DropDefault":
      return `${alterColumn(change.column)} DROP DEFAULT`;
    case "SetDefault":
      return `${alterColumn(change.column)} SET DEFAULT ${change.default}`;
    case "DropNotNull":
      return `${alterColumn(change.column)} DROP NOT NULL`;
    case "SetNotNull":
      return `${alterColumn(change.column)} SET NOT NULL`;
    case "AddPrimaryKey":
      return `ADD ${primaryKeyDefinition(change.key)}`;
    case "DropColumn":
      return `DROP COLUMN ${quoteIdentifier(change.column.name)}`;
  }
}

function alterColumn(column: string): string {
  return `ALTER COLUMN ${quoteIdentifier(column)}`;
}

function createTable(table: Table): string {
  const key = table.primaryKey;
  const parts = table.columns.map((column) => columnDefinition(column, key?.columns ?? []));
  if (key !== undefined) parts.push(primaryKeyDefinition(key));
  return `CREATE TABLE ${qualifiedName(table.schema, table.name)} (${parts.join(", ")})`;
}

/** @param keyed Columns for which a primary key of the same statement already says NOT NULL. */
function columnDefinition(column: Column, keyed: readonly string[]): string {
  const parts = [quoteIdentifier(column.name), column.type];
  if (column.notNull && !keyed.includes(column.name)) parts.push("NOT NULL");
  if (column.default !== undefined) parts.push(`DEFAULT ${column.default}`);
  return parts.join(" ");
}

function primaryKeyDefinition(key: PrimaryKey): string {
  const columns = key.columns.map(quoteIdentifier).join(", ");
  const name = key.name === undefined ? "" : `CONSTRAINT ${quoteIdentifier(key.name)} `;
  return `${name}PRIMARY KEY (${columns})`;
}
