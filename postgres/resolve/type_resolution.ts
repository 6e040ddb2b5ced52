import { type CalledNames, type FunctionFacts, judgeFunctions } from "./functions.ts";
import { excerpt, type Parsed, parsed, refused } from "../text/fault.ts";
import { didYouMean, nearestName } from "../text/nearest_name.ts";
import type { QualifiedName } from "../text/qualified_name.ts";
import { nearestTypeName } from "../text/type_hint.ts";
import { isBuiltIn, printType, type TypeName } from "../text/type_name.ts";

/** What the database has under the names of some types. */
export interface TypeFacts {
  readonly types: readonly TypeFact[];
  /** If some name was not found: every type that could have been meant. */
  readonly others: readonly QualifiedName[];
  /** What the checks of domains call. */
  readonly functions: FunctionFacts;
}

export type TypeKind = "base" | "enum" | "domain" | "composite" | "range" | "array" | "pseudo";

/** A part of a type: itself, and what a domain stands on. */
export interface TypePart extends QualifiedName {
  readonly schema: string;
  readonly kind: TypeKind;
  /** The extension that it came with. */
  readonly extension?: string;
  readonly owner: string;
  /** Whether its owner's code may run with the operator's rights. */
  readonly isTrusted: boolean;
  /** What each check of a domain names; a fault if that cannot be told. */
  readonly checks: readonly Parsed<CalledNames>[];
}

export interface TypeFact extends TypePart {
  readonly takesModifier: boolean;
  /** Whether the operator's role may use it. */
  readonly mayUse: boolean;
  /** Itself first. */
  readonly parts: readonly TypePart[];
}

/** What becomes of the types of one spec. */
export interface TypeVerdict {
  /** By what `printType()` gives for the type as it was written: with its schema, or a fault. */
  readonly types: ReadonlyMap<string, Parsed<TypeName>>;
  /** By name without a schema: the schema that was found. */
  readonly schemas: ReadonlyMap<string, string>;
}

/** What decides beside the database. */
export interface TypeRules {
  /** Where the types of a spec are looked for that are neither PostgreSQL's own nor an extension's. */
  readonly specSchema: string;
  /** Functions, as `schema.name`, that the administrator answers for. */
  readonly allowed: ReadonlySet<string>;
}

/**
 * Finds the types that are not PostgreSQL's own: a name without a schema means the one extension that has it, else the
 * schema of the spec. Enums and types of extensions are good; of a domain the checks run with the operator's rights, so
 * they follow the rule of `judgeFunctions()` and its owner must be trusted. Other types run code that nobody can judge.
 */
export function judgeTypes(types: readonly TypeName[], facts: TypeFacts, rules: TypeRules): TypeVerdict {
  const verdicts = new Map<string, Parsed<TypeName>>();
  const schemas = new Map<string, string>();
  for (const type of types) {
    if (isBuiltIn(type)) continue;
    const fact = findType(type, facts, rules);
    const fault = fact.ok ? typeFault(type, fact.value, { facts, rules }) : fact.fault;
    if (!fact.ok || fault !== undefined) {
      verdicts.set(printType(type), refused(fault ?? ""));
      continue;
    }
    verdicts.set(printType(type), parsed({ ...type, schema: fact.value.schema }));
    if (type.schema === undefined) schemas.set(type.name, fact.value.schema);
  }
  return { types: verdicts, schemas };
}

function findType(type: TypeName, facts: TypeFacts, { specSchema }: TypeRules): Parsed<TypeFact> {
  const named = facts.types.filter(({ name }) => name === type.name);
  const wanted = type.schema === undefined ? undefined : named.filter(({ schema }) => schema === type.schema);
  const extensions = named.filter(({ extension }) => extension !== undefined);
  if (wanted === undefined && extensions.length > 1) {
    return refused(`The type ${excerpt(type.name)} is in several extensions: write ${listOf(extensions)}`);
  }
  const [found] = wanted ?? (extensions.length > 0 ? extensions : named.filter(({ schema }) => schema === specSchema));
  if (found !== undefined) return parsed(found);
  const unknown = `There is no type ${excerpt(nameOf(type))}`;
  if (named.length > 0) return refused(`${unknown}: write ${listOf(named)}`);
  return refused(unknown + didYouMean(nearestType(type.name, facts, specSchema)));
}

function nearestType(name: string, facts: TypeFacts, specSchema: string): string | undefined {
  const near = nearestName(name, facts.others.map((other) => other.name));
  const other = facts.others.find((each) => each.name === near);
  const own = nearestTypeName(name);
  if (other === undefined || own !== undefined && own === nearestName(name, [own, other.name])) return own;
  return other.schema === specSchema ? nameOf({ name: other.name }) : nameOf(other);
}

function typeFault(
  type: TypeName,
  fact: TypeFact,
  grounds: { readonly facts: TypeFacts; readonly rules: TypeRules },
): string | undefined {
  const name = nameOf(fact);
  if (fact.kind === "array") return `The type ${name} is an array: write the type of its elements, and []`;
  if (fact.kind === "pseudo") return `The type ${name} is a pseudo-type, which no column can have`;
  if (type.typmods.length > 0 && !fact.takesModifier) return `The type ${name} takes nothing in parentheses`;
  for (const part of fact.parts) {
    const reason = partReason(part, grounds);
    if (reason !== undefined) return `The type ${name} must not be used: ${reason}`;
  }
  return fact.mayUse ? undefined : `The type ${name} must not be used: the operator's role has no USAGE on it`;
}

function partReason(
  part: TypePart,
  { facts, rules }: { readonly facts: TypeFacts; readonly rules: TypeRules },
): string | undefined {
  if (part.schema === "pg_catalog" || part.extension !== undefined) return undefined;
  // The elements of an array are a part of their own.
  if (part.kind === "enum" || part.kind === "array") return undefined;
  const name = nameOf(part);
  if (part.kind !== "domain") return `${name} is neither an enum, nor a domain, nor a type of an extension`;
  if (!part.isTrusted) {
    return `${name} belongs to the role ${excerpt(part.owner)}, whose checks would run with the operator's rights`;
  }
  for (const check of part.checks) {
    const [fault] = check.ok ? judgeFunctions(check.value, facts.functions, rules.allowed).faults : [check.fault];
    if (fault !== undefined) return `the CHECK of domain ${name} would run with the operator's rights: ${fault}`;
  }
  return undefined;
}

function listOf(types: readonly QualifiedName[]): string {
  return types.slice(0, 3).map(nameOf).join(" or ");
}

function nameOf({ schema, name }: QualifiedName): string {
  return excerpt(schema === undefined ? name : `${schema}.${name}`).slice(1, -1);
}
