import { type Parsed, parsed } from "./fault.ts";
import { qualifiedName } from "./identifier.ts";
import { parseQualifiedName } from "./qualified_name.ts";
import { isBuiltIn, type TypeName } from "./type_name.ts";

/**
 * How collations are called that PostgreSQL brings: `C`, `de-x-icu`, `en_US.utf8`. Their cases are mixed and some have a
 * dot, so that no such name would survive the rules of SQL without quotes.
 */
const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_]{0,40}([-@][A-Za-z0-9_-]{1,20})?(\.utf-?8)?$/i;

/** PostgreSQL's own types that have a collation, and which. */
const OWN_COLLATIONS: ReadonlyMap<string, string> = new Map([
  ["text", qualifiedName("pg_catalog", "default")],
  ["varchar", qualifiedName("pg_catalog", "default")],
  ["bpchar", qualifiedName("pg_catalog", "default")],
  ["name", qualifiedName("pg_catalog", "C")],
]);

/**
 * The collation that a text names, quoted and with its schema.
 *
 * A name without quotes and schema is one of PostgreSQL's own and taken as it stands; any other text is read as in SQL.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseCollation("C"), { ok: true, value: '"pg_catalog"."C"' });
 * assertEquals(parseCollation("public.german"), { ok: true, value: '"public"."german"' });
 * ```
 */
export function parseCollation(text: string): Parsed<string> {
  if (PLAIN_NAME.test(text)) return parsed(qualifiedName("pg_catalog", text));
  const name = parseQualifiedName(text);
  return name.ok ? parsed(qualifiedName(name.value.schema ?? "pg_catalog", name.value.name)) : name;
}

/** Whether values of the type can have a collation; of a type that is not PostgreSQL's own nobody knows yet. */
export function isCollatable(type: TypeName): boolean {
  return !isBuiltIn(type) || OWN_COLLATIONS.has(type.name);
}

/** The collation that a column of the type has when none is named. */
export function ownCollation(type: TypeName): string | undefined {
  return isBuiltIn(type) ? OWN_COLLATIONS.get(type.name) : undefined;
}
