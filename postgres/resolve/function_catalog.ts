import type { CalledNames, FunctionFact, FunctionFacts, OperatorFact } from "./functions.ts";
import type { Transaction } from "../session/client.ts";
import { nearestName } from "../text/nearest_name.ts";
import type { QualifiedName } from "../text/qualified_name.ts";
import { isBuiltIn } from "../text/type_name.ts";
import { TRUSTED_ROLES } from "./trusted_roles.ts";

const IS_INTERNAL = `(p.proargtypes::oid[] || p.prorettype)
  && '{internal,cstring,trigger,event_trigger,language_handler,fdw_handler,index_am_handler,table_am_handler,tsm_handler}'::regtype[]::oid[]`;

const FUNCTIONS = `
SELECT DISTINCT n.nspname AS schema, p.proname AS name, ${extensionOf("pg_proc", "p.oid")} AS extension,
  pg_get_userbyid(p.proowner) AS owner, p.proowner IN (${TRUSTED_ROLES}) AS is_trusted, p.provolatile = 'v' AS is_volatile,
  p.prokind AS kind, p.proretset AS returns_set, ${IS_INTERNAL} AS is_internal
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = ${anyOf("$1")}
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9`;

// Of PostgreSQL's own, dozens for one name, it matters only that there is one.
const OPERATORS = `
SELECT DISTINCT n.nspname AS schema, o.oprname AS name
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprname = ${anyOf("$1")}`;

const FOREIGN_OPERATORS = `
SELECT DISTINCT n.nspname AS schema, o.oprname AS name, ${extensionOf("pg_operator", "o.oid")} AS extension,
  pg_get_userbyid(o.oprowner) AS owner, o.oprowner IN (${TRUSTED_ROLES}) AS is_trusted, p.provolatile = 'v' AS is_volatile,
  m.nspname AS function_schema, p.proname AS function_name
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_proc p ON p.oid = o.oprcode JOIN pg_namespace m ON m.oid = p.pronamespace
WHERE o.oprname = ${anyOf("$1")} AND o.oprnamespace <> 'pg_catalog'::regnamespace ORDER BY 1, 2, 7, 8`;

const TYPES = `
SELECT n.nspname AS schema, t.typname AS name, e.extname AS extension
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid WHERE t.typname = ${anyOf("$1")}`;

const CREATORS = `
SELECT n.nspname AS schema, to_json(ARRAY(
    SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END
    FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner)) || makeaclitem(n.nspowner, n.nspowner, 'CREATE', false)) a
    WHERE a.privilege_type = 'CREATE' AND a.grantee NOT IN (${TRUSTED_ROLES}) ORDER BY 1))::text AS creators
FROM pg_namespace n
WHERE n.oid IN (SELECT pronamespace FROM pg_proc WHERE proname = ${anyOf("$1")}
    UNION SELECT oprnamespace FROM pg_operator WHERE oprname = ${anyOf("$2")}
    UNION SELECT typnamespace FROM pg_type WHERE typname = ${anyOf("$3")})
  AND n.nspname <> 'pg_catalog'`;

const FUNCTION_NAMES = `
SELECT DISTINCT p.proname AS name FROM pg_proc p
WHERE p.prokind = 'f' AND NOT p.proretset AND NOT ${IS_INTERNAL}
  AND (p.pronamespace = 'pg_catalog'::regnamespace OR ${extensionOf("pg_proc", "p.oid")} IS NOT NULL)`;

const KINDS: Readonly<Record<string, FunctionFact["kind"]>> = {
  f: "function",
  a: "aggregate",
  w: "window",
  p: "procedure",
};

interface Row {
  readonly schema: string;
  readonly name: string;
  readonly extension: string | null;
  readonly owner: string;
  readonly is_trusted: boolean;
  readonly is_volatile: boolean;
}

interface FunctionRow extends Row {
  readonly kind: string;
  readonly returns_set: boolean;
  readonly is_internal: boolean;
}

interface OperatorRow extends Row {
  readonly function_schema: string;
  readonly function_name: string;
}

/**
 * Reads what the database has under all names of some expressions: one round trip, a second one if some are not
 * PostgreSQL's own.
 */
export async function lookUpFunctions(
  transaction: Transaction,
  called: readonly CalledNames[],
): Promise<FunctionFacts> {
  const names = {
    functions: namesIn(called.flatMap(({ functions }) => functions)),
    operators: namesIn(called.flatMap(({ operators }) => operators)),
    types: namesIn(called.flatMap(({ types }) => types).filter((type) => !isBuiltIn(type))),
  };
  const ask = <R>(query: string, wanted: readonly string[]) =>
    wanted.length === 0 ? [] : transaction.query<R>(query, [JSON.stringify(wanted)]);
  const [functions, operators, types] = await Promise.all([
    ask<FunctionRow>(FUNCTIONS, names.functions),
    ask<Required<QualifiedName>>(OPERATORS, names.operators),
    ask<FunctionFacts["types"][number]>(TYPES, names.types),
  ]);
  const isForeign = [...functions, ...operators, ...types].some(({ schema }) => schema !== "pg_catalog");
  const unknown = names.functions.filter((name) => !functions.some((row) => row.name === name));
  const [foreign, creators, similar] = await Promise.all([
    isForeign ? ask<OperatorRow>(FOREIGN_OPERATORS, names.operators) : [],
    isForeign ? lookUpCreators(transaction, names) : NOBODY,
    unknown.length > 0 ? similarNames(transaction, unknown) : NOTHING,
  ]);
  return {
    functions: functions.map(functionFact),
    operators: [
      ...operators.filter(({ schema }) => schema === "pg_catalog").map(ownOperator),
      ...foreign.map(operatorFact),
    ],
    types,
    creators,
    similar,
  };
}

const NOBODY: FunctionFacts["creators"] = new Map();
const NOTHING: FunctionFacts["similar"] = new Map();

async function lookUpCreators(
  transaction: Transaction,
  names: Readonly<Record<"functions" | "operators" | "types", readonly string[]>>,
): Promise<FunctionFacts["creators"]> {
  const rows = await transaction.query<{ readonly schema: string; readonly creators: string }>(
    CREATORS,
    [names.functions, names.operators, names.types].map((wanted) => JSON.stringify(wanted)),
  );
  return new Map(rows.map((row) => [row.schema, JSON.parse(row.creators) as string[]]));
}

async function similarNames(
  transaction: Transaction,
  unknown: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await transaction.query<{ readonly name: string }>(FUNCTION_NAMES);
  const names = rows.map(({ name }) => name);
  return new Map(unknown.flatMap((name) => {
    const similar = nearestName(name, names);
    return similar === undefined ? [] : [[name, similar] as const];
  }));
}

function namesIn(names: readonly { readonly name: string }[]): readonly string[] {
  return [...new Set(names.map(({ name }) => name))];
}

function factOf(row: Row) {
  return {
    schema: row.schema,
    name: row.name,
    ...(row.extension === null ? {} : { extension: row.extension }),
    owner: row.owner,
    isTrusted: row.is_trusted,
    isVolatile: row.is_volatile,
  };
}

function functionFact(row: FunctionRow): FunctionFact {
  return {
    ...factOf(row),
    kind: KINDS[row.kind] ?? "procedure",
    returnsSet: row.returns_set,
    isInternal: row.is_internal,
  };
}

function ownOperator({ schema, name }: Required<QualifiedName>): OperatorFact {
  return { schema, name, owner: "", isTrusted: true, isVolatile: false, function: { schema, name } };
}

function operatorFact(row: OperatorRow): OperatorFact {
  return { ...factOf(row), function: { schema: row.function_schema, name: row.function_name } };
}

function anyOf(parameter: string): string {
  return `ANY (ARRAY(SELECT jsonb_array_elements_text(${parameter}::text::jsonb)))`;
}

function extensionOf(catalog: string, oid: string): string {
  return `(SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e' LIMIT 1)`;
}
