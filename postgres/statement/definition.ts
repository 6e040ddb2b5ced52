import type {
  Check,
  Column,
  Deferrability,
  ForeignKey,
  Identity,
  Index,
  IndexKey,
  PrimaryKey,
  ReferentialAction,
  Unique,
} from "../table.ts";
import { qualifiedName, quoteIdentifier } from "../text/identifier.ts";

/** SQL of the parts of a table, as they stand in CREATE TABLE and behind ADD. */

const IDENTITY: Readonly<Record<Identity, string>> = { Always: "ALWAYS", ByDefault: "BY DEFAULT" };

const ACTION: Readonly<Record<ReferentialAction, string>> = {
  NoAction: "NO ACTION",
  Restrict: "RESTRICT",
  Cascade: "CASCADE",
  SetNull: "SET NULL",
  SetDefault: "SET DEFAULT",
};

const DEFERRABLE: Readonly<Record<Deferrability, string>> = {
  No: "NOT DEFERRABLE",
  InitiallyImmediate: "DEFERRABLE INITIALLY IMMEDIATE",
  InitiallyDeferred: "DEFERRABLE INITIALLY DEFERRED",
};

/** `GENERATED ALWAYS AS IDENTITY`. */
export function identityClause(identity: Identity): string {
  return `GENERATED ${IDENTITY[identity]} AS IDENTITY`;
}

/** STORED is always said: PostgreSQL 18 would take VIRTUAL. */
function generatedClause(expression: string): string {
  return `GENERATED ALWAYS AS (${expression}) STORED`;
}

/** `DEFERRABLE INITIALLY DEFERRED` and so on, for ALTER CONSTRAINT. */
export function deferrableClause(deferrable: Deferrability): string {
  return DEFERRABLE[deferrable];
}

/**
 * A default in parentheses where it is more than one token: `DEFAULT now() AT TIME ZONE 'utc'` is a syntax error.
 */
export function defaultClause(text: string): string {
  return /^([0-9]+|true|false|E?'(?:[^'\\]|''|\\\\)*')$/.test(text) ? text : `(${text})`;
}

/** @param keyed Columns for which a primary key of the same statement already says NOT NULL. */
export function columnDefinition(column: Column, keyed: readonly string[]): string {
  const parts = [quoteIdentifier(column.name), column.type];
  if (column.collation !== undefined) parts.push(`COLLATE ${column.collation}`);
  const impliesNotNull = keyed.includes(column.name) || column.identity !== undefined;
  if (column.notNull && !impliesNotNull) parts.push("NOT NULL");
  if (column.default !== undefined) parts.push(`DEFAULT ${defaultClause(column.default)}`);
  if (column.identity !== undefined) parts.push(identityClause(column.identity));
  if (column.generated !== undefined) parts.push(generatedClause(column.generated));
  return parts.join(" ");
}

/** `CONSTRAINT "n" PRIMARY KEY ("a")`. */
export function primaryKeyDefinition(key: PrimaryKey): string {
  return `${constraintName(key.name)}PRIMARY KEY (${columnList(key.columns)})`;
}

/** `UNIQUE NULLS NOT DISTINCT ("a")`. */
export function uniqueDefinition(unique: Unique): string {
  const nulls = unique.nullsNotDistinct ? " NULLS NOT DISTINCT" : "";
  return `${constraintName(unique.name)}UNIQUE${nulls} (${columnList(unique.columns)})`;
}

/** `CHECK (…)`. */
export function checkDefinition(check: Check): string {
  return `${constraintName(check.name)}CHECK (${check.expression})`;
}

/** `FOREIGN KEY ("a") REFERENCES "s"."t" ("b") ON DELETE CASCADE`. */
export function foreignKeyDefinition(key: ForeignKey): string {
  const { schema, table, columns } = key.references;
  return [
    `${constraintName(key.name)}FOREIGN KEY (${columnList(key.columns)})`,
    `REFERENCES ${qualifiedName(schema, table)} (${columnList(columns)})`,
    ...(key.onDelete === "NoAction" ? [] : [`ON DELETE ${ACTION[key.onDelete]}`]),
    ...(key.onUpdate === "NoAction" ? [] : [`ON UPDATE ${ACTION[key.onUpdate]}`]),
    ...(key.deferrable === "No" ? [] : [DEFERRABLE[key.deferrable]]),
  ].join(" ");
}

/** @param table Quoted, with its schema. */
export function indexDefinition(index: Index, table: string, mode: "Online" | "Direct"): string {
  return [
    index.unique ? "CREATE UNIQUE INDEX" : "CREATE INDEX",
    // Never IF NOT EXISTS: it would accept an invalid index of that name.
    ...(mode === "Online" ? ["CONCURRENTLY"] : []),
    ...(index.name === undefined ? [] : [quoteIdentifier(index.name)]),
    `ON ${table} USING ${quoteIdentifier(index.method)} (${index.keys.map(indexKey).join(", ")})`,
    ...(index.include.length === 0 ? [] : [`INCLUDE (${columnList(index.include)})`]),
    ...(index.nullsNotDistinct ? ["NULLS NOT DISTINCT"] : []),
    ...(index.where === undefined ? [] : [`WHERE (${index.where})`]),
  ].join(" ");
}

function indexKey(key: IndexKey): string {
  const nullsByDefault = key.order === "Descending" ? "First" : "Last";
  return [
    key.column === undefined ? `(${key.expression ?? ""})` : quoteIdentifier(key.column),
    ...(key.collation === undefined ? [] : [`COLLATE ${key.collation}`]),
    ...(key.opclass === undefined ? [] : [key.opclass]),
    ...(key.order === "Descending" ? ["DESC"] : []),
    ...(key.nulls === nullsByDefault ? [] : [key.nulls === "First" ? "NULLS FIRST" : "NULLS LAST"]),
  ].join(" ");
}

function constraintName(name: string | undefined): string {
  return name === undefined ? "" : `CONSTRAINT ${quoteIdentifier(name)} `;
}

function columnList(columns: readonly string[]): string {
  return columns.map(quoteIdentifier).join(", ");
}
