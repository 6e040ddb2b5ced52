import { LIVE_EPOCH } from "./epoch.ts";

/**
 * The SQL that makes the registry and the SQL that checks that nobody else made or changed it. All of it runs with
 * `search_path` pinned to `pg_catalog, pg_temp`.
 */

/** One at a time: `CREATE … IF NOT EXISTS` races (23505), and accepts whatever somebody put there first. */
export const BOOTSTRAP_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('tablewright/bootstrap', 0))";

/** What is there: nothing, an empty schema (made for us by an administrator), or tables. */
export const PRESENCE = `SELECT to_regnamespace('tablewright') IS NOT NULL AS has_schema,
  EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('tablewright')) AS has_relations`;

/** For a database where the role may not create schemas, an administrator makes it: `CREATE SCHEMA tablewright AUTHORIZATION …`. */
export const CREATE_SCHEMA = "CREATE SCHEMA tablewright";

const CREATE_EPOCH = `CREATE TABLE tablewright.epoch (one boolean PRIMARY KEY DEFAULT true CHECK (one),
  format integer NOT NULL, system_identifier bigint NOT NULL, database_oid oid NOT NULL, registry_oid oid NOT NULL,
  server_version_num integer NOT NULL)`;

const CREATE_OWNED_TABLE = `CREATE TABLE tablewright.owned_table (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  schema_name text NOT NULL CHECK (octet_length(schema_name) BETWEEN 1 AND 63),
  table_name text NOT NULL CHECK (octet_length(table_name) BETWEEN 1 AND 63),
  oid oid UNIQUE, cluster_id uuid NOT NULL,
  namespace text NOT NULL, name text NOT NULL, uid uuid NOT NULL, generation bigint NOT NULL, spec_hash text NOT NULL,
  origin text NOT NULL CHECK (origin IN ('created', 'adopted')),
  members jsonb NOT NULL, expressions jsonb NOT NULL, fingerprint bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (schema_name, table_name), UNIQUE (cluster_id, uid))`;

const CREATE_HISTORY = `CREATE TABLE tablewright.history (
  table_id bigint NOT NULL REFERENCES tablewright.owned_table ON DELETE CASCADE, n bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(), generation bigint NOT NULL, plan_hash text NOT NULL,
  statements text[] NOT NULL, PRIMARY KEY (table_id, n))`;

const CREATE_APPROVAL = `CREATE TABLE tablewright.approval (
  table_id bigint PRIMARY KEY REFERENCES tablewright.owned_table ON DELETE CASCADE, plan_hash text NOT NULL,
  statements text[] NOT NULL)`;

/** `ALTER DEFAULT PRIVILEGES` of the role would let others write here. */
const REVOKE_FROM_OTHERS = `DO $$ DECLARE g record; BEGIN
  FOR g IN
    SELECT DISTINCT format('%s %s', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass) AS object, a.grantee
    FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = 'tablewright'::regnamespace AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
    UNION SELECT 'SCHEMA tablewright', a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname = 'tablewright' AND a.grantee <> n.nspowner
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', g.object, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END);
  END LOOP; END $$`;

const INSERT_EPOCH = `INSERT INTO tablewright.epoch
  SELECT true, 1, live.system_identifier, live.database_oid, live.registry_oid, live.server_version_num FROM ${LIVE_EPOCH}`;

/** Makes the tables in an empty schema that is ours. */
export const CREATE_TABLES: readonly string[] = [
  CREATE_EPOCH,
  CREATE_OWNED_TABLE,
  CREATE_HISTORY,
  CREATE_APPROVAL,
  REVOKE_FROM_OTHERS,
  INSERT_EPOCH,
];

/** What a registry of an earlier version lacks, by the fault that says so. */
export const ADDITIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["tablewright.approval is missing", [CREATE_APPROVAL, REVOKE_FROM_OTHERS]],
]);

/** Columns with type, NOT NULL, default and identity; constraints; the number of indexes. */
const SHAPE = `(SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attnotnull THEN '!' END, pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, '')), ', ' ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  || '; ' || (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY k.contype, k.conname COLLATE "C")
    FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype <> 'n')
  || '; ' || (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid)`;

const SHAPES: Readonly<Record<string, string>> = {
  epoch: "one boolean ! true, format integer !, system_identifier bigint !, database_oid oid !, registry_oid oid !, " +
    "server_version_num integer !; CHECK (one), PRIMARY KEY (one); 1",
  owned_table: "id bigint ! a, schema_name text !, table_name text !, oid oid, cluster_id uuid !, namespace text !, " +
    "name text !, uid uuid !, generation bigint !, spec_hash text !, origin text !, members jsonb !, expressions jsonb !, " +
    "fingerprint bigint !, applied_at timestamp with time zone ! clock_timestamp(); " +
    "CHECK ((origin = ANY (ARRAY['created'::text, 'adopted'::text]))), " +
    "CHECK (((octet_length(schema_name) >= 1) AND (octet_length(schema_name) <= 63))), " +
    "CHECK (((octet_length(table_name) >= 1) AND (octet_length(table_name) <= 63))), " +
    "PRIMARY KEY (id), UNIQUE (cluster_id, uid), UNIQUE (oid), UNIQUE (schema_name, table_name); 4",
  history: "table_id bigint !, n bigint ! a, at timestamp with time zone ! clock_timestamp(), generation bigint !, " +
    "plan_hash text !, statements text[] !; " +
    "FOREIGN KEY (table_id) REFERENCES tablewright.owned_table(id) ON DELETE CASCADE, PRIMARY KEY (table_id, n); 1",
  approval: "table_id bigint !, plan_hash text !, statements text[] !; " +
    "FOREIGN KEY (table_id) REFERENCES tablewright.owned_table(id) ON DELETE CASCADE, PRIMARY KEY (table_id); 1",
};

/** Every row is a reason not to trust the schema; no rows if there is none. */
export const SCHEMA_FAULTS =
  `SELECT format('schema tablewright belongs to role %s', nspowner::regrole) AS fault FROM pg_namespace
  WHERE nspname = 'tablewright' AND nspowner <> current_user::regrole
UNION ALL SELECT format('role %s has %s on schema tablewright', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type)
  FROM pg_namespace n, aclexplode(n.nspacl) a
  WHERE n.nspname = 'tablewright' AND a.grantee <> n.nspowner AND a.privilege_type = 'CREATE'
UNION ALL SELECT format('%s is not as it was made (kind %s, owner %s)', c.oid::regclass, c.relkind, c.relowner::regrole) FROM pg_class c
  WHERE c.relnamespace = to_regnamespace('tablewright') AND (c.relowner <> current_user::regrole
    OR c.relkind NOT IN ('r', 'i', 'S') OR c.relpersistence <> 'p' OR c.relhasrules OR c.relrowsecurity
    OR c.relhassubclass OR c.relispartition)
UNION ALL SELECT format('role %s has %s on %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type, c.oid::regclass)
  FROM pg_class c, aclexplode(c.relacl) a
  WHERE c.relnamespace = to_regnamespace('tablewright') AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
UNION ALL SELECT format('%s has the trigger %I', t.tgrelid::regclass, t.tgname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = to_regnamespace('tablewright') AND NOT t.tgisinternal
UNION ALL SELECT format('there is the function %s', p.oid::regprocedure) FROM pg_proc p
  WHERE p.pronamespace = to_regnamespace('tablewright')`;

/** {@linkcode SCHEMA_FAULTS}, and every table that is missing or has another shape. */
export const REGISTRY_FAULTS = `${SCHEMA_FAULTS}
UNION ALL SELECT CASE WHEN c.oid IS NULL THEN format('tablewright.%s is missing', made.name)
    ELSE format('tablewright.%s is not as it was made', made.name) END
  FROM jsonb_each_text('${JSON.stringify(SHAPES).replaceAll("'", "''")}') AS made(name, shape)
  LEFT JOIN pg_class c ON c.relnamespace = to_regnamespace('tablewright') AND c.relname = made.name AND c.relkind = 'r'
  WHERE made.shape IS DISTINCT FROM ${SHAPE}`;
