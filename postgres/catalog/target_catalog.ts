import { FIXED, type Transaction } from "../session/client.ts";
import type { ForeignKey } from "../table.ts";
import { type Target, targetKey, type Targets } from "./target.ts";

interface TargetRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly columns: string | null;
  readonly keys: string | null;
  readonly may_reference: boolean;
  readonly runs_foreign_code: boolean;
}

const OBSERVE_TARGETS = `
SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, has_table_privilege(c.oid, 'REFERENCES') AS may_reference,
  NOT pg_has_role(c.relowner, 'USAGE') AND EXISTS (
    SELECT FROM (SELECT 'pg_class'::regclass AS class, indexrelid AS oid FROM pg_index WHERE indrelid = c.oid
        AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
      UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = c.oid AND stxexprs IS NOT NULL) AS e
    JOIN pg_depend d ON d.classid = e.class AND d.objid = e.oid
    -- Nothing depends on what PostgreSQL brings itself.
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)) AS runs_foreign_code,
  (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod)))
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
  (SELECT jsonb_agg((SELECT jsonb_agg(a.attname ORDER BY k.i) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(n, i)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n WHERE k.i <= i.indnkeyatts))
   FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
     AND i.indpred IS NULL AND i.indexprs IS NULL)::text AS keys
FROM (SELECT x ->> 0 AS nspname, x ->> 1 AS relname FROM jsonb_array_elements($1::text::jsonb) x) AS want
JOIN pg_namespace n ON n.nspname = want.nspname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = want.relname`;

/** Looks at what foreign keys refer to; one round trip, none for no foreign keys. */
export async function observeTargets(
  transaction: Transaction,
  foreignKeys: readonly ForeignKey[],
): Promise<Targets> {
  if (foreignKeys.length === 0) return new Map();
  const wanted = foreignKeys.map(({ references }) => [references.schema, references.table]);
  const rows = await transaction.query<TargetRow>(OBSERVE_TARGETS, [JSON.stringify(wanted)], FIXED);
  return new Map(rows.map((row) => [targetKey({ schema: row.schema, table: row.name }), targetOf(row)]));
}

function targetOf(row: TargetRow): Target {
  const kinds: Readonly<Record<string, Target["kind"]>> = { r: "table", p: "partitioned table" };
  return {
    kind: kinds[row.kind] ?? "other",
    columns: new Map(row.columns === null ? [] : JSON.parse(row.columns) as [string, string][]),
    keys: row.keys === null ? [] : JSON.parse(row.keys) as string[][],
    mayReference: row.may_reference,
    runsForeignCode: row.runs_foreign_code,
  };
}
