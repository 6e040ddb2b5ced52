import { excerpt } from "../text/fault.ts";
import type { ExpressionNames } from "../text/read_expression.ts";
import type { QualifiedName } from "../text/qualified_name.ts";
import { isBuiltIn } from "../text/type_name.ts";

/** What an expression names; to its own types add those of the columns that it reads. */
export type CalledNames = Pick<ExpressionNames, "functions" | "operators" | "types">;

/** What the database has under these names. */
export interface FunctionFacts {
  readonly functions: readonly FunctionFact[];
  readonly operators: readonly OperatorFact[];
  readonly types: readonly { readonly schema: string; readonly name: string; readonly extension: string }[];
  /** By schema: roles that may create in it and that nobody trusts with the operator's rights; `PUBLIC` is everybody. */
  readonly creators: ReadonlyMap<string, readonly string[]>;
  /** By name of a function that the database does not have: one that it has. */
  readonly similar: ReadonlyMap<string, string>;
}

interface Fact {
  readonly schema: string;
  readonly name: string;
  /** The extension that it came with. */
  readonly extension?: string;
  readonly owner: string;
  /** Whether its owner's code may run with the operator's rights. */
  readonly isTrusted: boolean;
  readonly isVolatile: boolean;
}

export interface FunctionFact extends Fact {
  readonly kind: "function" | "aggregate" | "window" | "procedure";
  readonly returnsSet: boolean;
  /** Whether it takes or gives what only the server itself has, such as `internal` and `cstring`. */
  readonly isInternal: boolean;
}

/** An operator; it is as volatile as the function behind it. */
export interface OperatorFact extends Fact {
  readonly function: QualifiedName;
}

/** What becomes of the names of one expression. */
export interface FunctionVerdict {
  /** One sentence (no full stop) each; none: the expression may run. */
  readonly faults: readonly string[];
  /** Schemas of extensions that the statement needs on its search path, between `pg_catalog` and `pg_temp`. */
  readonly searchPath: readonly string[];
}

/** Volatile, yet they do nothing but make a value. With these in a default, ADD COLUMN rewrites the table. */
const VOLATILE_FUNCTIONS: ReadonlySet<string> = new Set(
  ("random gen_random_uuid uuidv4 uuidv7 clock_timestamp " +
    // Of uuid-ossp, pgcrypto, pg_uuidv7.
    "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_generate_v7 gen_random_bytes gen_salt").split(" "),
);

/** PostgreSQL's own functions that do more than their volatility says. */
const DENIED: readonly (readonly [RegExp, string])[] = [
  [/^(nextval|currval|lastval|setval)$/, "it belongs to a sequence: use identity"],
  [/^(table|schema|database|query|cursor)_to_xml/, "it reads whole tables"],
  [/^pg_stat_get_/, "it shows what other sessions do"],
  [/^pg_input_/, "it runs the checks of any type"],
  [/^fmgr_/, "it is for PostgreSQL's own use"],
];

/**
 * Whether an expression may call what it names. Expressions run with the operator's rights: when a column is added, a
 * constraint validated, an index built. So a function must be PostgreSQL's own or a trusted extension's, and must only
 * compute: immutable, stable, or one of {@linkcode VOLATILE_FUNCTIONS}. `current_setting()` may be read: a setting is no
 * secret to whoever writes tables.
 *
 * A name without a schema means PostgreSQL's own, else the one extension that has it. Of several functions with one name
 * all must be good, since which one is called only the server knows.
 *
 * @param allowed Functions, as `schema.name`, that the administrator answers for.
 */
export function judgeFunctions(
  called: CalledNames,
  facts: FunctionFacts,
  allowed: ReadonlySet<string>,
): FunctionVerdict {
  const { faults: [faults = []], searchPath } = judgeTogether([called], facts, allowed);
  return { faults, searchPath };
}

/**
 * As `judgeFunctions()`, of expressions that run under one search path: a schema that one of them needs also changes what
 * the names in all others mean.
 *
 * @returns Faults of each, in the order given.
 */
export function judgeTogether(
  all: readonly CalledNames[],
  facts: FunctionFacts,
  allowed: ReadonlySet<string>,
): { readonly faults: readonly (readonly string[])[]; readonly searchPath: readonly string[] } {
  const schemas = all.flatMap((called) => [...namedSchemas(called, facts), ...typeSchemas(called, facts)]);
  const searchPath = [...new Set(schemas)].filter((schema) => schema !== "pg_catalog").sort();
  const judge = new Judge({ facts, allowed, searchPath });
  return { faults: all.map((called) => faultsOf(called, facts, judge)), searchPath };
}

function faultsOf(called: CalledNames, facts: FunctionFacts, judge: Judge): readonly string[] {
  const named = namedSchemas(called, facts);
  const faults = [
    ...called.functions.map((name) => judge.functionFault(name)),
    ...called.operators.map((name) => judge.operatorFault(name)),
    ...typeSchemas(called, facts).filter((schema) => !named.includes(schema)).map((schema) =>
      judge.schemaFault(schema)
    ),
  ];
  return [...new Set(faults.filter((fault) => fault !== undefined))];
}

/** Schemas that functions and operators are found in. */
function namedSchemas(called: CalledNames, facts: FunctionFacts): readonly string[] {
  return [
    ...called.functions.flatMap((name) => extensionSchema(name, facts.functions)),
    ...called.operators.flatMap((name) => extensionSchema(name, facts.operators)),
  ];
}

interface Grounds {
  readonly facts: FunctionFacts;
  readonly allowed: ReadonlySet<string>;
  readonly searchPath: readonly string[];
}

class Judge {
  readonly #facts: FunctionFacts;
  readonly #allowed: ReadonlySet<string>;
  readonly #searchPath: readonly string[];

  constructor({ facts, allowed, searchPath }: Grounds) {
    this.#facts = facts;
    this.#allowed = allowed;
    this.#searchPath = searchPath;
  }

  functionFault(called: QualifiedName): string | undefined {
    const named = this.#facts.functions.filter(({ name }) => name === called.name);
    const meant = meantBy(called, named, this.#searchPath);
    if (meant.length === 0) return this.#unknownFunction(called, named);
    for (const candidate of meant) {
      const reason = this.#functionReason(candidate);
      if (reason !== undefined) return `The function ${nameOf(called)}() must not be called: ${reason}`;
    }
    return undefined;
  }

  operatorFault(called: QualifiedName): string | undefined {
    const named = this.#facts.operators.filter(({ name }) => name === called.name);
    const meant = meantBy(called, named, this.#searchPath);
    if (meant.length === 0) {
      const [other] = named;
      const hint = called.schema === undefined && other !== undefined
        ? `: write OPERATOR(${other.schema}.${other.name})`
        : "";
      return `There is no operator ${nameOf(called)}${hint}`;
    }
    for (const candidate of meant) {
      const reason = candidate.schema === "pg_catalog" ? undefined : this.#reason(candidate, candidate.function);
      if (reason !== undefined) return `The operator ${nameOf(candidate)} must not be used: ${reason}`;
    }
    return undefined;
  }

  schemaFault(schema: string): string | undefined {
    const reason = this.#openSchema(schema);
    return reason === undefined
      ? undefined
      : `A type of the schema ${excerpt(schema)} must not be used here: ${reason}`;
  }

  #unknownFunction(called: QualifiedName, named: readonly FunctionFact[]): string {
    const unknown = `There is no function ${nameOf(called)}()`;
    const extensions = named.filter(({ extension }) => extension !== undefined);
    const [other] = extensions.length > 0 ? extensions : named;
    if (other !== undefined) return `${unknown}: write ${nameOf(other)}()`;
    const similar = this.#facts.similar.get(called.name);
    return similar === undefined ? unknown : `${unknown}: did you mean ${similar}()?`;
  }

  #functionReason(candidate: FunctionFact): string | undefined {
    if (candidate.kind === "procedure") return "it is a procedure";
    if (candidate.kind !== "function") return "it is about many rows";
    if (candidate.returnsSet) return "it gives several rows";
    if (candidate.isInternal) return "it is for PostgreSQL's own use";
    const denied = candidate.schema === "pg_catalog"
      ? DENIED.find(([pattern]) => pattern.test(candidate.name))?.[1]
      : undefined;
    return denied !== undefined && !this.#isAllowed(candidate) ? denied : this.#reason(candidate, candidate);
  }

  #reason(candidate: Fact, behind: QualifiedName): string | undefined {
    if (this.#isAllowed(behind)) return undefined;
    const flag = `--allow-function ${behind.schema}.${behind.name} would allow it`;
    const isOwn = candidate.schema === "pg_catalog";
    if (!isOwn && candidate.extension === undefined) {
      return `${nameOf(candidate)} is neither PostgreSQL's own nor an extension's; ${flag}`;
    }
    if (!isOwn && !candidate.isTrusted) {
      return `it belongs to the role ${
        excerpt(candidate.owner)
      }, whose code would run with the operator's rights; ${flag}`;
    }
    const open = isOwn ? undefined : this.#openSchema(candidate.schema);
    if (open !== undefined) return open;
    return candidate.isVolatile && !VOLATILE_FUNCTIONS.has(candidate.name)
      ? `it is volatile, so it may do more than compute; ${flag}`
      : undefined;
  }

  #openSchema(schema: string): string | undefined {
    const creators = this.#facts.creators.get(schema) ?? [];
    if (creators.length === 0) return undefined;
    const roles = creators.map((role) => role === "PUBLIC" ? "everybody" : excerpt(role)).join(", ");
    return `in its schema ${roles} may create functions, which would run with the operator's rights: ` +
      `revoke CREATE on ${excerpt(schema)}`;
  }

  #isAllowed({ schema, name }: QualifiedName): boolean {
    return this.#allowed.has(`${schema}.${name}`);
  }
}

/** The schema of the one extension that has a name which PostgreSQL itself does not have. */
function extensionSchema(called: QualifiedName, facts: readonly Fact[]): readonly string[] {
  const named = facts.filter(({ name }) => name === called.name);
  if (called.schema !== undefined || named.some(({ schema }) => schema === "pg_catalog")) return [];
  const extensions = named.filter(({ extension }) => extension !== undefined);
  const isOne = new Set(extensions.map(({ extension }) => extension)).size === 1;
  return isOne ? extensions.map(({ schema }) => schema) : [];
}

/** Operators of an extension's type are found through the search path only: `=` of `citext` is none of PostgreSQL's. */
function typeSchemas({ types }: CalledNames, facts: FunctionFacts): readonly string[] {
  // Of a name without a schema the extension's type is meant, as `judgeTypes()` says.
  const isUsed = (fact: FunctionFacts["types"][number]) =>
    types.some((type) => type.name === fact.name && (type.schema ?? fact.schema) === fact.schema && !isBuiltIn(type));
  return [...new Set(facts.types.filter(isUsed).map(({ schema }) => schema))];
}

function meantBy<F extends Fact>(
  called: QualifiedName,
  named: readonly F[],
  searchPath: readonly string[],
): readonly F[] {
  const schemas = called.schema === undefined ? ["pg_catalog", ...searchPath] : [called.schema];
  return named.filter(({ schema }) => schemas.includes(schema));
}

function nameOf({ schema, name }: QualifiedName): string {
  const plain = schema === undefined ? name : `${schema}.${name}`;
  return excerpt(plain).slice(1, -1);
}
