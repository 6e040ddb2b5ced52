import type { Transaction } from "../../postgres/session/client.ts";
import type { Table } from "../../postgres/table.ts";

/** A table as the catalog has it, read without any code of the operator: sorted lines of text. */
export type Snapshot = readonly string[];

/** Lines of one table; `$1` is its oid. Names that nobody chose are told by `$2`, those that the spec gives. */
const SNAPSHOT = `
SELECT format('column %s %s %s identity=%s generated=%s default=%s collation=%s storage=%s comment=%s', a.attname,
    format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END, a.attidentity, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END, a.attstorage,
    col_description(a.attrelid, a.attnum)) AS line
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT format('constraint %s %s %s', CASE WHEN conname = ANY ($2::text[]) THEN conname ELSE '-' END,
    pg_get_constraintdef(oid), CASE WHEN convalidated THEN 'valid' ELSE 'NOT VALID' END)
  FROM pg_constraint WHERE conrelid = $1::oid AND contype <> 'n'
UNION ALL SELECT 'not null is NOT VALID: ' || conname FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'n' AND NOT convalidated
UNION ALL SELECT format('index %s %s %s %s', CASE WHEN c.relname = ANY ($2::text[]) THEN c.relname ELSE '-' END,
    CASE WHEN i.indisunique THEN 'UNIQUE' END, substring(pg_get_indexdef(c.oid) FROM ' USING .*'),
    CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 'valid' ELSE 'INVALID' END)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid
UNION ALL SELECT format('triggers %s', count(*)) FROM pg_trigger WHERE tgrelid = $1::oid
UNION ALL SELECT format('comment %s', obj_description($1::oid, 'pg_class'))
UNION ALL SELECT format('sequence of %s', a.attname) FROM pg_depend s JOIN pg_attribute a ON a.attrelid = s.refobjid AND a.attnum = s.refobjsubid
  WHERE s.refobjid = $1::oid AND s.classid = 'pg_class'::regclass AND s.deptype IN ('i', 'a')
    AND EXISTS (SELECT FROM pg_class q WHERE q.oid = s.objid AND q.relkind = 'S')`;

/** Reads a table, independent of order, of generated names and of the schema that it stands in. */
export async function takeSnapshot(
  transaction: Transaction,
  found: { readonly oid: number; readonly schema: string; readonly names: readonly string[] },
): Promise<Snapshot> {
  const { oid, schema, names } = found;
  const list = `{${names.map((name) => `"${name.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
  const rows = await transaction.query<{ readonly line: string }>(SNAPSHOT, [String(oid), list]);
  return rows.map(({ line }) => line.replaceAll(`${schema}.`, "")).toSorted();
}

/** Names of all constraints and indexes of a table, sorted. */
export async function namesOf(transaction: Transaction, oid: number): Promise<readonly string[]> {
  const rows = await transaction.query<{ readonly name: string }>(
    `SELECT conname AS name FROM pg_constraint WHERE conrelid = $1::oid AND contype <> 'n'
     UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::oid`,
    [String(oid)],
  );
  return rows.map(({ name }) => name).toSorted();
}

/** Names that the spec gives to its constraints and indexes. */
export function chosenNames({ primaryKey, uniques, checks, foreignKeys, indexes }: Table): readonly string[] {
  return [primaryKey, ...uniques, ...checks, ...foreignKeys, ...indexes].flatMap((part) => part?.name ?? []);
}

/** A table of the planner's model, comparable with one that stands in another schema and has other generated names. */
export function comparable(table: Table, names: readonly string[]): unknown {
  const known = new Set(names);
  const part = <T extends { readonly name?: string }>({ name, ...rest }: T) => ({
    ...rest,
    ...(name !== undefined && known.has(name) ? { name } : {}),
  });
  const sorted = (list: readonly unknown[]) =>
    list.map((each) => JSON.stringify(each).replaceAll(table.schema, "SCHEMA")).toSorted();
  return {
    name: table.name,
    comment: table.comment,
    columns: sorted(table.columns),
    primaryKey: table.primaryKey === undefined ? undefined : part(table.primaryKey),
    uniques: sorted(table.uniques.map(part)),
    checks: sorted(table.checks.map(part)),
    foreignKeys: sorted(table.foreignKeys.map(part)),
    indexes: sorted(table.indexes.map(part)),
    unmanaged: table.unmanaged,
  };
}
