import { arrayLiteral } from "../session/parameter.ts";
import type { Transaction } from "../session/client.ts";

/** Catalogs with rows of a table, and how those rows are found. */
const PARTS: readonly {
  readonly alias: string;
  readonly key: string;
  readonly rows: string;
  readonly versions: string;
}[] = [
  { alias: "a", key: "attrelid", rows: "pg_attribute WHERE attnum > 0", versions: "xmin::text::bigint" },
  { alias: "d", key: "adrelid", rows: "pg_attrdef WHERE true", versions: "xmin::text::bigint" },
  { alias: "k", key: "conrelid", rows: "pg_constraint WHERE true", versions: "xmin::text::bigint" },
  {
    alias: "i",
    key: "indrelid",
    rows: "pg_index x JOIN pg_class p ON p.oid = x.indexrelid WHERE true",
    versions: "x.xmin::text::bigint + p.xmin::text::bigint",
  },
  {
    alias: "m",
    key: "objoid",
    rows: "pg_description WHERE classoid = 'pg_class'::regclass",
    versions: "xmin::text::bigint",
  },
];

const HASH = `hashtextextended(concat_ws(',', c.xmin, c.relname, c.relnamespace, c.relowner, ${
  PARTS.map(({ alias }) => `${alias}.h, ${alias}.n`).join(", ")
}), 0)`;

/** The fingerprint of the table whose `pg_class` row is `c`: one table costs no pass over the catalogs. */
export const FINGERPRINT_OF_ONE = `(SELECT ${HASH} FROM (SELECT) AS one ${
  PARTS.map(({ alias, key, rows, versions }) =>
    `LEFT JOIN LATERAL (SELECT count(*) AS n, sum(${versions}) AS h FROM ${rows} AND ${key} = c.oid HAVING count(*) > 0) ${alias} ON true`
  ).join(" ")
})`;

/** The same for many: one pass over each catalog. */
const FINGERPRINT_OF_MANY = `SELECT c.oid, ${HASH}::text AS fingerprint FROM pg_class c ${
  PARTS.map(({ alias, key, rows, versions }) =>
    `LEFT JOIN (SELECT ${key}, count(*) AS n, sum(${versions}) AS h FROM ${rows} GROUP BY 1) ${alias} ON ${alias}.${key} = c.oid`
  ).join(" ")
} WHERE c.relkind IN ('r', 'p') AND c.oid = ANY ($1::oid[])`;

/**
 * The fingerprints of tables by oid, read in one pass over the catalogs. A fingerprint is a number (as text) that every
 * DDL on the table changes; VACUUM, ANALYZE and row changes do not. It means something only within an epoch.
 */
export async function fingerprints(
  transaction: Transaction,
  oids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await transaction.query<{ readonly oid: number; readonly fingerprint: string }>(
    FINGERPRINT_OF_MANY,
    [arrayLiteral(oids)],
  );
  return new Map(rows.map((row) => [row.oid, row.fingerprint]));
}
