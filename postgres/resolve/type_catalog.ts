import { lookUpFunctions } from "./function_catalog.ts";
import type { Transaction } from "../session/client.ts";
import { namesInExpression } from "../text/parse_expression.ts";
import type { QualifiedName } from "../text/qualified_name.ts";
import { isBuiltIn, type TypeName } from "../text/type_name.ts";
import { TRUSTED_ROLES } from "./trusted_roles.ts";
import {
  judgeTypes,
  type TypeFact,
  type TypeFacts,
  type TypeKind,
  type TypePart,
  type TypeRules,
} from "./type_resolution.ts";
import type { TypeVerdict } from "./type_resolution.ts";

const PART = `
  n.nspname AS schema, t.typname AS name,
  -- What pg_type calls an array may be a base type with subscripts: only its element's array type is an array.
  CASE WHEN EXISTS (SELECT FROM pg_type m WHERE m.oid = t.typelem AND m.typarray = t.oid) THEN 'A' ELSE t.typtype END AS kind,
  (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
   WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' LIMIT 1) AS extension,
  pg_get_userbyid(t.typowner) AS owner, t.typowner IN (${TRUSTED_ROLES}) AS is_trusted`;

// A domain may stand on another domain, or on an array of them: the checks of all of them run.
const LOOK_UP = `
WITH RECURSIVE want AS (
  SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typname = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
    AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'
), part AS (
  SELECT oid AS root, oid, 0 AS depth FROM want
  UNION SELECT p.root, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END, p.depth + 1
  FROM part p JOIN pg_type t ON t.oid = p.oid WHERE t.typtype = 'd' OR t.typcategory = 'A' AND t.typelem <> 0
)
SELECT p.root::bigint AS root, ${PART}, t.typmodin <> 0 AS takes_modifier, has_type_privilege(t.oid, 'USAGE') AS may_use,
  (SELECT json_agg(pg_get_expr(k.conbin, 0) ORDER BY k.conname) FROM pg_constraint k
   WHERE k.contypid = t.oid AND k.contype = 'c')::text AS checks
FROM part p JOIN pg_type t ON t.oid = p.oid JOIN pg_namespace n ON n.oid = t.typnamespace
ORDER BY p.root, p.depth`;

// What a user may have meant: no row types of tables, no arrays.
const OTHERS = `
SELECT n.nspname AS schema, t.typname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND t.typtype IN ('b', 'd', 'e')
  AND NOT EXISTS (SELECT FROM pg_type m WHERE m.typarray = t.oid) AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname <> $1, 1, 2 LIMIT 1000`;

const KINDS: Readonly<Record<string, TypeKind>> = {
  b: "base",
  e: "enum",
  d: "domain",
  c: "composite",
  r: "range",
  m: "range",
  A: "array",
  p: "pseudo",
};

interface PartRow {
  readonly root: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly extension: string | null;
  readonly owner: string;
  readonly is_trusted: boolean;
  readonly takes_modifier: boolean;
  readonly may_use: boolean;
  readonly checks: string | null;
}

/** Finds the types that are not PostgreSQL's own, see {@linkcode judgeTypes}. No round trip without such types. */
export async function resolveTypes(
  transaction: Transaction,
  types: readonly TypeName[],
  rules: TypeRules,
): Promise<TypeVerdict> {
  return judgeTypes(types, await lookUpTypes(transaction, types, rules.specSchema), rules);
}

/** Reads what the database has under the names of types: one round trip, a second one for domains' checks or a wrong name. */
async function lookUpTypes(
  transaction: Transaction,
  types: readonly TypeName[],
  specSchema: string,
): Promise<TypeFacts> {
  const names = [...new Set(types.filter((type) => !isBuiltIn(type)).map(({ name }) => name))];
  const rows = names.length === 0 ? [] : await transaction.query<PartRow>(LOOK_UP, [JSON.stringify(names)]);
  const parts = await Promise.all(rows.map(partOf));
  const checks = parts.flatMap((part) => part.checks).flatMap((check) => check.ok ? [check.value] : []);
  const isComplete = names.every((name) => rows.some((row) => row.name === name));
  const [functions, others] = await Promise.all([
    checks.length === 0 ? NO_FUNCTIONS : lookUpFunctions(transaction, checks),
    isComplete ? [] : transaction.query<QualifiedName>(OTHERS, [specSchema]),
  ]);
  return { types: rows.flatMap((row, index) => factOf({ rows, parts }, row, index)), others, functions };
}

const NO_FUNCTIONS: TypeFacts["functions"] = {
  functions: [],
  operators: [],
  types: [],
  creators: new Map(),
  similar: new Map(),
};

async function partOf(row: PartRow): Promise<TypePart> {
  const checks = row.checks === null ? [] : JSON.parse(row.checks) as string[];
  return {
    schema: row.schema,
    name: row.name,
    kind: KINDS[row.kind] ?? "pseudo",
    ...(row.extension === null ? {} : { extension: row.extension }),
    owner: row.owner,
    isTrusted: row.is_trusted,
    checks: await Promise.all(checks.map(namesInExpression)),
  };
}

/** The first row of each root is the type itself. */
function factOf(
  { rows, parts }: { readonly rows: readonly PartRow[]; readonly parts: readonly TypePart[] },
  row: PartRow,
  index: number,
): readonly TypeFact[] {
  const part = parts[index];
  if (part === undefined || rows[index - 1]?.root === row.root) return [];
  const own = parts.filter((_, each) => rows[each]?.root === row.root);
  return [{ ...part, takesModifier: row.takes_modifier, mayUse: row.may_use, parts: own }];
}
