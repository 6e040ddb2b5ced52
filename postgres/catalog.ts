import type { Transaction } from "./session/client.ts";

/** What the catalog holds under one name, read in one query. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly columns: readonly CatalogColumn[];
  readonly constraints: readonly CatalogConstraint[];
  readonly indexes: readonly string[];
  readonly triggers: readonly string[];
  /** Whether the operator's role owns it, itself or as a member. */
  readonly ownedByRole: boolean;
  /** What makes altering it run other people's code or touch other tables; empty for an ordinary table. */
  readonly peculiarities: readonly string[];
  /** `pg_class.reltuples`; `undefined` before the first ANALYZE. */
  readonly rowEstimate: number | undefined;
  readonly totalBytes: number;
  /** Foreign keys of other tables that need this one. */
  readonly inbound: readonly { readonly table: string; readonly constraint: string }[];
  /** Views, materialized views and rules of other relations that read it. */
  readonly views: readonly string[];
}

export type RelationKind =
  | "table"
  | "view"
  | "materialized view"
  | "foreign table"
  | "partitioned table"
  | "index"
  | "sequence"
  | "composite type"
  | "TOAST table";

export interface CatalogColumn {
  readonly name: string;
  /** As `printType()` writes it: `format_type()` for PostgreSQL's own types, quoted names for all others. */
  readonly type: string;
  readonly notNull: boolean;
  /** `pg_get_expr()` of the default; `undefined` if there is none. */
  readonly default: string | undefined;
}

export interface CatalogConstraint {
  readonly name: string;
  /** `pg_constraint.contype`: p, u, c, f, x, t. NOT NULL (n) is told by the column. */
  readonly type: string;
  readonly columns: readonly string[];
}

/** The namespace as the operator's role sees it. */
export interface SchemaAccess {
  readonly exists: boolean;
  readonly mayCreate: boolean;
}

/** Names and oids to look at; an oid finds a table that somebody renamed. */
export interface Wanted {
  readonly schema: string;
  readonly names: readonly string[];
  readonly oids: readonly number[];
}

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: "table",
  v: "view",
  m: "materialized view",
  f: "foreign table",
  p: "partitioned table",
  i: "index",
  I: "index",
  S: "sequence",
  c: "composite type",
  t: "TOAST table",
};

// SQL 4 of the design's review, with oids beside names. Every name is qualified by the pinned search path; text only.
const OBSERVE = `
WITH want AS (
  SELECT k.oid FROM pg_class k JOIN pg_namespace m ON m.oid = k.relnamespace
  WHERE m.nspname = $1 AND k.relname = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))
  UNION SELECT k.oid FROM pg_class k WHERE k.oid = ANY (ARRAY(SELECT jsonb_array_elements_text($3::text::jsonb)::oid)))
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
  c.relispartition OR c.relhassubclass OR c.reloftype <> 0
    OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid) AS related,
  c.relrowsecurity OR c.relforcerowsecurity AS row_security, c.relhasrules AND c.relkind = 'r' AS rules,
  c.reltuples::float8 AS row_estimate,
  CASE WHEN c.relkind IN ('r', 'm', 'p') THEN pg_total_relation_size(c.oid) ELSE 0 END AS total_bytes,
  pg_has_role(c.relowner, 'USAGE') AS owned,
  (SELECT jsonb_agg(jsonb_build_array(a.attname,
      CASE WHEN s.nspname = 'pg_catalog' THEN format_type(a.atttypid, a.atttypmod)
        -- As printType() writes it: always quoted, which format_type() does only where it must.
        ELSE format('"%s"."%s"', replace(s.nspname, '"', '""'), replace(e.typname, '"', '""'))
          || substr(format_type(e.oid, a.atttypmod), length(format_type(e.oid, NULL)) + 1)
          || CASE WHEN e.oid = y.oid THEN '' ELSE '[]' END END,
      a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
   FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
   JOIN pg_type e ON e.oid = CASE WHEN y.typcategory = 'A' AND y.typelem <> 0 THEN y.typelem ELSE y.oid END
   JOIN pg_namespace s ON s.oid = e.typnamespace
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
  (SELECT jsonb_agg(jsonb_build_array(k.conname, k.contype,
      (SELECT jsonb_agg(a.attname ORDER BY o.i) FROM unnest(k.conkey) WITH ORDINALITY o(n, i)
       JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = o.n)) ORDER BY k.conname)
   FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n')::text AS constraints,
  (SELECT jsonb_agg(x.relname ORDER BY x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
   WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_constraint k
     WHERE k.conrelid = c.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')))::text AS indexes,
  (SELECT jsonb_agg(g.tgname ORDER BY g.tgname) FROM pg_trigger g
   WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)::text AS triggers,
  (SELECT jsonb_agg(DISTINCT jsonb_build_array(k.conrelid::regclass::text, k.conname))
   FROM pg_depend p JOIN pg_constraint k ON k.oid = p.objid AND k.contype = 'f' AND k.conrelid <> c.oid
   WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.classid = 'pg_constraint'::regclass)::text AS inbound,
  (SELECT jsonb_agg(DISTINCT w.ev_class::regclass::text)
   FROM pg_depend p JOIN pg_rewrite w ON w.oid = p.objid AND w.ev_class <> c.oid
   WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.classid = 'pg_rewrite'::regclass)::text AS views
FROM want JOIN pg_class c ON c.oid = want.oid JOIN pg_namespace n ON n.oid = c.relnamespace`;

interface RelationRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly related: boolean;
  readonly row_security: boolean;
  readonly rules: boolean;
  readonly row_estimate: number;
  readonly total_bytes: string;
  readonly owned: boolean;
  readonly columns: string | null;
  readonly constraints: string | null;
  readonly indexes: string | null;
  readonly triggers: string | null;
  readonly inbound: string | null;
  readonly views: string | null;
}

/** Reads every relation of those names and oids; one round trip. */
export async function observeRelations(transaction: Transaction, wanted: Wanted): Promise<readonly Relation[]> {
  const rows = await transaction.query<RelationRow>(OBSERVE, [
    wanted.schema,
    JSON.stringify(wanted.names),
    JSON.stringify(wanted.oids),
  ]);
  return rows.map(relationOf);
}

/** Whether a schema exists and the operator's role may create tables in it. */
export async function observeSchema(transaction: Transaction, schema: string): Promise<SchemaAccess> {
  const rows = await transaction.query<{ readonly may_create: boolean }>(
    "SELECT has_schema_privilege(oid, 'CREATE') AS may_create FROM pg_namespace WHERE nspname = $1",
    [schema],
  );
  const [row] = rows;
  return { exists: row !== undefined, mayCreate: row?.may_create ?? false };
}

function relationOf(row: RelationRow): Relation {
  return {
    oid: Number(row.oid),
    schema: row.schema,
    name: row.name,
    kind: KINDS[row.kind] ?? "composite type",
    columns: list<[string, string, boolean, string | null]>(row.columns)
      .map(([name, type, notNull, expression]) => ({ name, type, notNull, default: expression ?? undefined })),
    constraints: list<[string, string, string[] | null]>(row.constraints)
      .map(([name, type, columns]) => ({ name, type, columns: columns ?? [] })),
    indexes: list<string>(row.indexes),
    triggers: list<string>(row.triggers),
    ownedByRole: row.owned,
    peculiarities: peculiaritiesOf(row),
    rowEstimate: row.row_estimate < 0 ? undefined : Math.round(row.row_estimate),
    totalBytes: Number(row.total_bytes),
    inbound: list<[string, string]>(row.inbound).map(([table, constraint]) => ({ table, constraint })),
    views: list<string>(row.views),
  };
}

function peculiaritiesOf(row: RelationRow): readonly string[] {
  return [
    ...(row.persistence === "p" ? [] : [row.persistence === "t" ? "it is temporary" : "it is unlogged"]),
    ...(row.related ? ["it takes part in inheritance or partitioning"] : []),
    ...(row.row_security ? ["it has row security"] : []),
    ...(row.rules ? ["it has rules"] : []),
  ];
}

/** Aggregates come as text, so that one driver setting less decides what they are. */
function list<T>(json: string | null): readonly T[] {
  return json === null ? [] : JSON.parse(json) as T[];
}
