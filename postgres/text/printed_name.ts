import { qualifiedName } from "./identifier.ts";

/** A name with its schema. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** Source of a regular expression for one identifier as PostgreSQL prints it: quoted wherever SQL needs it. */
export const PRINTED_IDENTIFIER = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';

/** The same for a name that may have its schema before it. */
export const PRINTED_NAME = `${PRINTED_IDENTIFIER}(?:\\.${PRINTED_IDENTIFIER})?`;

const IDENTIFIERS = new RegExp(PRINTED_IDENTIFIER, "g");

/** Takes the quotes from one identifier. */
export function readIdentifier(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** Reads what a cast to `regclass` or `regcollation` prints; without a schema it is one of PostgreSQL's own. */
export function readQualifiedName(text: string): QualifiedName {
  const [first = "", second] = (text.match(IDENTIFIERS) ?? []).map(readIdentifier);
  return second === undefined ? { schema: "pg_catalog", name: first } : { schema: first, name: second };
}

/** Quotes every part of such a name, and gives it its schema: `"C"` is `"pg_catalog"."C"`. */
export function requote(text: string): string {
  const { schema, name } = readQualifiedName(text);
  return qualifiedName(schema, name);
}
