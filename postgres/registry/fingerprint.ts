import { SAME_EPOCH } from "./epoch.ts";

/** Catalogs with rows of a table, and how those rows are found. */
const PARTS: readonly {
  readonly alias: string;
  readonly key: string;
  readonly rows: string;
  readonly versions: string;
}[] = [
  { alias: "a", key: "attrelid", rows: "pg_attribute WHERE attnum > 0", versions: "xmin::text::bigint" },
  { alias: "d", key: "adrelid", rows: "pg_attrdef WHERE true", versions: "xmin::text::bigint" },
  { alias: "k", key: "conrelid", rows: "pg_constraint WHERE conrelid <> 0", versions: "xmin::text::bigint" },
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
  // The second trigger, a policy and statistics leave the rows above as they are.
  { alias: "t", key: "tgrelid", rows: "pg_trigger WHERE NOT tgisinternal", versions: "xmin::text::bigint" },
  { alias: "y", key: "polrelid", rows: "pg_policy WHERE true", versions: "xmin::text::bigint" },
  { alias: "s", key: "stxrelid", rows: "pg_statistic_ext WHERE true", versions: "xmin::text::bigint" },
];

const HASH = `hashtextextended(concat_ws(',', c.xmin, c.relname, c.relnamespace, c.relowner, ${
  PARTS.map(({ alias }) => `${alias}.h, ${alias}.n`).join(", ")
}), 0)`;

/**
 * The fingerprint of the table whose `pg_class` row is `c`: a number that every DDL on the table changes; VACUUM, ANALYZE
 * and row changes do not. It means something only within an epoch. One table costs no pass over the catalogs.
 */
export const FINGERPRINT_OF_ONE = `(SELECT ${HASH} FROM (SELECT) AS one ${
  PARTS.map(({ alias, key, rows, versions }) =>
    `LEFT JOIN LATERAL (SELECT count(*) AS n, sum(${versions}) AS h FROM ${rows} AND ${key} = c.oid HAVING count(*) > 0) ${alias} ON true`
  ).join(" ")
})`;

/** The same for all tables: one pass over each catalog. */
const FINGERPRINTS = `SELECT c.oid, ${HASH} AS fingerprint FROM pg_class c ${
  PARTS.map(({ alias, key, rows, versions }) =>
    `LEFT JOIN (SELECT ${key}, count(*) AS n, sum(${versions}) AS h FROM ${rows} GROUP BY 1) ${alias} ON ${alias}.${key} = c.oid`
  ).join(" ")
} WHERE c.relkind IN ('r', 'p')`;

/**
 * Joins of many rows to many rows: an estimate that is off must not make them loops in loops. The planner's other plans
 * for these take a pass over each catalog, whatever it believes.
 */
export const WITHOUT_LOOPS = "SELECT set_config('enable_nestloop', 'off', true)";

/**
 * $1 cluster. Tables that were recorded and whose catalog rows are other ones now, or gone; all of them in another epoch.
 * Never send it as a named prepared statement: its generic plan took 25 s.
 */
export const CHANGED_TABLES = `SELECT o.id, o.uid, o.namespace, o.name, live.fingerprint::text AS fingerprint,
  e.same AS same_epoch
FROM tablewright.owned_table o CROSS JOIN (SELECT ${SAME_EPOCH} AS same) e
LEFT JOIN (${FINGERPRINTS}) live ON live.oid = o.oid
WHERE o.cluster_id = $1::uuid AND o.fingerprint <> 0
  AND (live.fingerprint IS DISTINCT FROM o.fingerprint OR NOT e.same)`;
