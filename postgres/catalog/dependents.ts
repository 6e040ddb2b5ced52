import type { MemberKind, Members } from "../registry/members.ts";
import type { Transaction } from "../session/client.ts";

export type DependentKind =
  | "view"
  | "materialized view"
  | "rule"
  | "function"
  | "trigger"
  | "policy"
  | "publication"
  | "statistics"
  | "constraint"
  | "index"
  | "generated column"
  | "default"
  | "sequence"
  /** Another kind: its name is the whole description. */
  | "other";

/** Something that PostgreSQL ties to a column. */
export interface Dependent {
  readonly kind: DependentKind;
  /** Bare for a part of the table itself; else as PostgreSQL prints it, with its schema. */
  readonly name: string;
  /** The other table whose trigger, policy, constraint or column it is, as PostgreSQL prints it. */
  readonly of?: string;
  /** Those of the columns asked for that it uses. */
  readonly columns: readonly string[];
  /** How many columns of the table it uses in all. */
  readonly width: number;
  /** Whether DROP COLUMN drops it too without a word; it refuses because of all others. */
  readonly dropsSilently: boolean;
}

// $1 oid, $2 column names as a JSON array. Rows of pg_depend that stand for the column itself are not dependents.
const DEPENDENTS = `SELECT x.kind, x.name, x.of, x.columns, x.width, x.silent FROM (
  SELECT CASE
      WHEN w.rulename = '_RETURN' THEN CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END
      WHEN w.oid IS NOT NULL THEN 'rule' WHEN k.oid IS NOT NULL THEN 'constraint'
      WHEN b.attgenerated <> '' THEN 'generated column' WHEN d.oid IS NOT NULL THEN 'default'
      WHEN g.oid IS NOT NULL THEN 'trigger' WHEN l.oid IS NOT NULL THEN 'policy'
      WHEN r.oid IS NOT NULL THEN 'publication' WHEN t.oid IS NOT NULL THEN 'statistics'
      WHEN p.classid = 'pg_proc'::regclass THEN 'function'
      WHEN c.relkind IN ('i', 'I') THEN 'index' WHEN c.relkind = 'S' THEN 'sequence' ELSE 'other' END AS kind,
    CASE WHEN w.rulename = '_RETURN' THEN w.ev_class::regclass::text WHEN p.classid = 'pg_proc'::regclass THEN p.objid::regprocedure::text
      WHEN t.oid IS NOT NULL THEN t.stxnamespace::regnamespace || '.' || quote_ident(t.stxname)
      WHEN c.relkind IN ('i', 'I') THEN c.relname WHEN c.relkind = 'S' THEN c.oid::regclass::text
      ELSE coalesce(w.rulename, k.conname, b.attname, g.tgname, l.polname, (SELECT pubname FROM pg_publication WHERE oid = r.prpubid),
        pg_describe_object(p.classid, p.objid, p.objsubid)) END AS name,
    nullif(coalesce(nullif(k.conrelid, 0), d.adrelid, g.tgrelid, l.polrelid, CASE WHEN w.rulename <> '_RETURN' THEN w.ev_class END), $1::oid)::regclass::text AS of,
    (SELECT json_agg(a.attname ORDER BY a.attnum)::text FROM pg_attribute a
      WHERE a.attrelid = $1::oid AND a.attnum = ANY (p.wanted)) AS columns,
    (SELECT count(DISTINCT q.refobjsubid)::int FROM pg_depend q WHERE q.classid = p.classid AND q.objid = p.objid
      AND q.objsubid = p.objsubid AND q.refclassid = 'pg_class'::regclass AND q.refobjid = $1::oid AND q.refobjsubid > 0
      AND q.refobjsubid IS DISTINCT FROM b.attnum) AS width,
    p.silent, w.ev_class
  FROM (SELECT p.classid, p.objid, p.objsubid, array_agg(DISTINCT p.refobjsubid) AS wanted, bool_or(p.deptype IN ('a', 'i')) AS silent
    FROM pg_depend p JOIN pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
    -- A column's own default or expression goes with it.
    LEFT JOIN pg_attrdef d ON p.classid = 'pg_attrdef'::regclass AND d.oid = p.objid AND d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = $1::oid AND d.oid IS NULL AND NOT a.attisdropped
      AND a.attname = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb))) GROUP BY 1, 2, 3) AS p
  LEFT JOIN pg_rewrite w ON p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid
  LEFT JOIN pg_class v ON v.oid = w.ev_class
  LEFT JOIN pg_constraint k ON p.classid = 'pg_constraint'::regclass AND k.oid = p.objid
  LEFT JOIN pg_attrdef d ON p.classid = 'pg_attrdef'::regclass AND d.oid = p.objid
  LEFT JOIN pg_attribute b ON d.adrelid = $1::oid AND b.attrelid = d.adrelid AND b.attnum = d.adnum
  LEFT JOIN pg_trigger g ON p.classid = 'pg_trigger'::regclass AND g.oid = p.objid
  LEFT JOIN pg_policy l ON p.classid = 'pg_policy'::regclass AND l.oid = p.objid
  LEFT JOIN pg_publication_rel r ON p.classid = 'pg_publication_rel'::regclass AND r.oid = p.objid
  LEFT JOIN pg_statistic_ext t ON p.classid = 'pg_statistic_ext'::regclass AND t.oid = p.objid
  LEFT JOIN pg_class c ON p.classid = 'pg_class'::regclass AND c.oid = p.objid
  -- What NOT NULL is from PostgreSQL 18 on goes with its column, too.
  WHERE k.contype IS DISTINCT FROM 'n' AND g.tgisinternal IS DISTINCT FROM true
    AND NOT (p.classid = 'pg_class'::regclass AND p.objid = $1::oid)
) AS x ORDER BY x.kind, x.of NULLS FIRST, x.name`;

/**
 * Everything that PostgreSQL ties to columns of a table: what DROP COLUMN drops with them, and what makes it, or ALTER
 * TYPE, fail. Only what uses a column directly: a view over a view is the view's.
 */
export async function observeDependents(
  transaction: Transaction,
  oid: number,
  columns: readonly string[],
): Promise<readonly Dependent[]> {
  const rows = await transaction.query<{
    readonly kind: DependentKind;
    readonly name: string;
    readonly of: string | null;
    readonly columns: string;
    readonly width: number;
    readonly silent: boolean;
  }>(DEPENDENTS, [oid, JSON.stringify(columns)]);
  return rows.map(({ kind, name, of, width, silent, ...row }) => ({
    kind,
    name,
    ...(of === null ? {} : { of }),
    columns: JSON.parse(row.columns) as string[],
    width,
    dropsSilently: silent,
  }));
}

const MEMBER_KINDS: Partial<Readonly<Record<DependentKind, MemberKind>>> = {
  constraint: "constraint",
  index: "index",
  "generated column": "column",
  default: "column",
};

/** Whether we made it, by its name; what belongs to another table never is. */
export function isMember(dependent: Dependent, members: Members): boolean {
  const kind = MEMBER_KINDS[dependent.kind];
  return kind !== undefined && dependent.of === undefined && members[kind].includes(dependent.name);
}
