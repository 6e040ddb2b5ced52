/**
 * The SQL that reads relations. It is planned anew each time (a generic plan is a trap: one took 25 s), and planning joins
 * and sorts is most of what it costs: so it reads catalog by catalog, in any order, names relations and collations by
 * casts, and leaves the rest to `readRelation()`. One text serves PostgreSQL 15 to 18.
 */

/**
 * Columns that only newer catalogs have, as older servers shall see them: written without an alias, a sub-select takes
 * its own table's first and these only if there is none.
 */
const NEWER = "(SELECT true AS conenforced, false AS conperiod) AS newer";

/** A JSON list of what `rows` selects; NULL for nothing. */
function list(value: string, rows: string): string {
  return `(SELECT json_agg(${value}) FROM ${rows})`;
}

const COLUMNS = list(
  `json_build_object('number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
    'notNull', a.attnotnull, 'identity', a.attidentity, 'generated', a.attgenerated,
    'collation', CASE WHEN a.attcollation NOT IN (0, y.typcollation) THEN a.attcollation::regcollation END)`,
  `pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`,
);

const EXPRESSIONS = `(SELECT json_object_agg(d.adnum, pg_get_expr(d.adbin, d.adrelid)) FROM pg_attrdef d
  WHERE d.adrelid = c.oid)`;

const COMMENTS = `(SELECT json_object_agg(m.objsubid, m.description) FROM pg_description m
  WHERE m.objoid = c.oid AND m.classoid = 'pg_class'::regclass)`;

const CONSTRAINTS = list(
  `json_build_object('oid', k.oid::bigint, 'name', k.conname, 'type', k.contype, 'columns', k.conkey,
    'validated', k.convalidated, 'enforced', conenforced, 'period', conperiod,
    'deferrable', k.condeferrable, 'deferred', k.condeferred, 'index', k.conindid::bigint,
    'expression', CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END, 'noInherit', k.connoinherit,
    'foreignKey', CASE WHEN k.contype = 'f' THEN json_build_object('definition', pg_get_constraintdef(k.oid),
      'match', k.confmatchtype, 'onDelete', k.confdeltype, 'onUpdate', k.confupdtype, 'deleteColumns', k.confdelsetcols) END)`,
  "pg_constraint k WHERE k.conrelid = c.oid",
);

const INDEX_EXPRESSIONS = `(SELECT json_agg(pg_get_indexdef(i.indexrelid, o.n, false) ORDER BY o.n)
  FROM generate_series(1, i.indnkeyatts) AS o(n) WHERE i.indkey[o.n - 1] = 0)`;

const IS_BUILDING = `EXISTS (SELECT FROM pg_stat_progress_create_index p
  WHERE p.datname = current_database() AND p.index_relid = i.indexrelid)`;

// Nobody needs the definition of a primary key's index.
const INDEXES = list(
  `json_build_object('oid', i.indexrelid::bigint, 'name', i.indexrelid::regclass, 'unique', i.indisunique,
    'nullsNotDistinct', i.indnullsnotdistinct, 'valid', i.indisvalid, 'ready', i.indisready,
    'building', CASE WHEN i.indisvalid THEN false ELSE ${IS_BUILDING} END,
    'definition', CASE WHEN NOT i.indisprimary OR c.relkind = 't' THEN pg_get_indexdef(i.indexrelid) END,
    'columns', i.indkey::int2[], 'keyCount', i.indnkeyatts,
    'expressions', CASE WHEN i.indexprs IS NOT NULL THEN ${INDEX_EXPRESSIONS} END,
    'where', pg_get_expr(i.indpred, i.indrelid))`,
  "pg_index i WHERE i.indrelid = c.oid",
);

const ATTACHMENTS = `(SELECT json_agg(json_build_array(z.kind, z.name)) FROM (
  SELECT 'trigger' AS kind, g.tgname::text AS name FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
  UNION ALL SELECT 'policy', p.polname FROM pg_policy p WHERE p.polrelid = c.oid
  UNION ALL SELECT 'statistics', t.stxnamespace::regnamespace || '.' || quote_ident(t.stxname) FROM pg_statistic_ext t
    WHERE t.stxrelid = c.oid
  UNION ALL SELECT 'inheritance', CASE h.inhrelid WHEN c.oid THEN h.inhparent ELSE h.inhrelid END::regclass::text
    FROM pg_inherits h WHERE (h.inhrelid = c.oid OR h.inhparent = c.oid) AND c.relkind IN ('r', 'p')
  UNION ALL SELECT 'publication', p.pubname FROM pg_publication p WHERE c.relkind = 'r' AND c.relpersistence = 'p'
    AND (p.puballtables OR p.oid IN (SELECT r.prpubid FROM pg_publication_rel r WHERE r.prrelid = c.oid)
      OR p.oid IN (SELECT r.pnpubid FROM pg_publication_namespace r WHERE r.pnnspid = c.relnamespace))) AS z)`;

/**
 * Foreign keys of other tables (pg_constraint.confrelid has no index; pg_depend has one), and a row for each column, or key
 * of ours, that a rule or a function uses; column 0 stands for the table.
 */
const USERS = list(
  `json_build_object('table', coalesce(k.conrelid, w.ev_class)::regclass, 'kind', f.relkind,
    'foreignKey', k.conname, 'definition', CASE WHEN k.oid IS NOT NULL THEN pg_get_constraintdef(k.oid) END,
    'index', k.conindid::bigint, 'rule', w.rulename,
    'function', CASE p.classid WHEN 'pg_proc'::regclass THEN p.objid::regprocedure END, 'column', p.refobjsubid,
    'constraint', CASE p.refclassid WHEN 'pg_constraint'::regclass THEN p.refobjid::bigint END)`,
  `pg_depend p LEFT JOIN pg_constraint k ON p.classid = 'pg_constraint'::regclass AND k.oid = p.objid
   LEFT JOIN pg_rewrite w ON p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid
   LEFT JOIN pg_class f ON f.oid = w.ev_class
   WHERE p.refclassid IN ('pg_class'::regclass, 'pg_constraint'::regclass)
     AND p.refobjid = ANY (ARRAY(SELECT c.oid
       UNION ALL SELECT k.oid FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')))
     AND (p.refclassid = 'pg_class'::regclass) = (p.refobjid = c.oid)
     AND p.classid IN ('pg_constraint'::regclass, 'pg_rewrite'::regclass, 'pg_proc'::regclass)
     AND CASE WHEN k.oid IS NULL THEN w.ev_class IS DISTINCT FROM c.oid ELSE k.contype = 'f' AND k.conrelid <> c.oid END`,
);

const RELATION = `json_build_object('oid', c.oid::bigint, 'schema', c.relnamespace::regnamespace, 'name', c.relname,
  'kind', c.relkind, 'persistence', c.relpersistence,
  'related', c.relispartition OR c.reloftype <> 0 OR c.relhassubclass,
  'rowSecurity', c.relrowsecurity OR c.relforcerowsecurity, 'rules', c.relhasrules AND c.relkind = 'r',
  'rowEstimate', CASE WHEN c.reltuples >= 0 THEN round(c.reltuples::float8) END,
  'totalBytes', CASE WHEN c.relkind IN ('r', 'm', 'p') THEN pg_total_relation_size(c.oid) END,
  'relationBytes', CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) END,
  'ownedByRole', pg_has_role(c.relowner, 'USAGE'), 'replicaIdentity', c.relreplident,
  'indexOf', CASE WHEN c.relkind IN ('i', 'I') THEN (SELECT i.indrelid::regclass FROM pg_index i WHERE i.indexrelid = c.oid) END,
  'columns', ${COLUMNS}, 'expressions', ${EXPRESSIONS}, 'comments', ${COMMENTS}, 'constraints', ${CONSTRAINTS},
  'indexes', ${INDEXES}, 'attachments', ${ATTACHMENTS}, 'users', ${USERS})`;

/**
 * $1 schema, $2 names and $3 oids as JSON arrays. A row each is JSON text for `readRelation()`: one driver setting less
 * decides what its members are.
 */
export const OBSERVE_RELATIONS = `SELECT ${RELATION}::text AS relation
FROM pg_class c CROSS JOIN ${NEWER} WHERE c.oid = ANY (ARRAY(
  SELECT k.oid FROM pg_class k WHERE k.relnamespace = to_regnamespace(quote_ident($1))
    AND k.relname = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))
  UNION ALL SELECT jsonb_array_elements_text($3::text::jsonb)::oid))
-- An array type moves out of the way by itself, and a table's own type is the table.
UNION ALL SELECT json_build_object('typeName', y.typname)::text FROM pg_type y
WHERE y.typnamespace = to_regnamespace(quote_ident($1)) AND y.typrelid = 0 AND y.typcategory <> 'A'
  AND y.typname = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))`;
