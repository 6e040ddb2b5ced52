import type { AsSuperuser } from "../ddl_journal.ts";

/** A spec as plans write it: types as PostgreSQL prints them, names that need no quotes, each column in the long form. */
export interface PlanSpec {
  readonly tableName: string;
  readonly columns: readonly Readonly<Record<string, string | ColumnParts>>[];
  readonly primaryKey: string | readonly string[];
  readonly uniqueConstraints?: readonly { readonly columns: readonly string[] }[];
  readonly checks?: readonly { readonly name: string; readonly expression: string }[];
  readonly indexes?: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly [field: string]: unknown;
}

interface ColumnParts {
  readonly type: string;
  readonly notNull?: boolean;
  readonly references?: { readonly table: string; readonly column: string };
  readonly renamedFrom?: string;
}

const PARTS = `
SELECT format('column %s %s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END) AS line
  FROM pg_attribute a WHERE a.attrelid = $table AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT CASE WHEN contype = 'c' THEN 'check ' || conname ELSE replace(pg_get_constraintdef(oid), ' NOT VALID', '') END
    || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END
  FROM pg_constraint WHERE conrelid = $table AND contype <> 'n'
UNION ALL SELECT 'not null NOT VALID' FROM pg_constraint WHERE conrelid = $table AND contype = 'n' AND NOT convalidated
UNION ALL SELECT 'index ' || c.relname || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = $table AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = i.indrelid)`;

/** What a table is made of, read without any code of the operator, sorted; empty if there is no such table. */
export async function readParts(sql: AsSuperuser, table: string): Promise<readonly string[]> {
  const rows = await sql(PARTS.replaceAll("$table", `to_regclass('public.${table}')`));
  return rows.map((row) => String(row["line"])).toSorted();
}

/** What a spec asks for, in the words of {@linkcode readParts}. */
export function expectedParts(spec: PlanSpec): readonly string[] {
  const key = keyOf(spec);
  const columns = spec.columns.flatMap((entry) => Object.entries(entry)).map(([name, given]) => ({
    name: name.toLowerCase(),
    ...(typeof given === "string" ? { type: given } : given),
  }));
  return [
    ...columns.map(({ name, type, notNull }) =>
      `column ${name} ${type}${notNull === true || key.includes(name) ? " not null" : ""}`
    ),
    `PRIMARY KEY (${key.join(", ")})`,
    ...columns.flatMap(({ name, references }) =>
      references === undefined
        ? []
        : [`FOREIGN KEY (${name}) REFERENCES ${references.table}(${references.column.toLowerCase()})`]
    ),
    ...(spec.uniqueConstraints ?? []).map((unique) => `UNIQUE (${unique.columns.map(lower).join(", ")})`),
    ...(spec.checks ?? []).map(({ name }) => `check ${name}`),
    ...(spec.indexes ?? []).map(({ name }) => `index ${name}`),
  ];
}

/** Why a table is not what a spec says: parts that are missing, and parts that are not finished. */
export function catalogFaults(spec: PlanSpec, parts: readonly string[]): readonly string[] {
  const missing = expectedParts(spec).filter((part) => !parts.includes(part)).map((part) => `missing: ${part}`);
  const unfinished = parts.filter((part) => / (NOT VALID|INVALID)$/.test(part)).map((part) => `unfinished: ${part}`);
  return [...missing, ...unfinished];
}

function keyOf({ primaryKey }: PlanSpec): readonly string[] {
  const names = typeof primaryKey === "string" ? primaryKey.split(",") : primaryKey;
  return names.map((name) => lower(name.trim()));
}

function lower(name: string): string {
  return name.toLowerCase();
}
