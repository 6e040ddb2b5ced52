import { excerpt, type Parsed, parsed, refused, unprintableIn } from "./fault.ts";

/** Bytes that PostgreSQL keeps of a name (NAMEDATALEN - 1); it would cut a longer one without an error. */
const MAXIMUM_NAME_BYTES = 63;

const MAXIMUM_LIST_LENGTH = 4096;
const UNQUOTED = /^[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_$\u0080-\u{10ffff}]*$/u;
const QUOTED = /^"(?:[^"]|"")*"$/;
const LIST_ITEM = /[ \t\r\n]*("(?:[^"]|"")*"|[^,"]*)[ \t\r\n]*(,|$)/y;
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]);
const encoder = new TextEncoder();

/**
 * Reads a name as PostgreSQL would: unquoted it folds to lower case (A to Z only), in double quotes it is kept.
 *
 * @example Folding
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseIdentifier("WEBSITE_USERS"), { ok: true, value: "website_users" });
 * assertEquals(parseIdentifier('"User"'), { ok: true, value: "User" });
 * ```
 */
export function parseIdentifier(text: string): Parsed<string> {
  // Twice the bytes and two quotes: every name may double each of its quotes.
  if (text.length > 2 * MAXIMUM_NAME_BYTES + 2) return refused(tooLong(text));
  if (text === "" || text === '""') return refused("A name must not be empty");
  const unprintable = unprintableIn(text);
  if (unprintable !== undefined) return refused(`The name ${excerpt(text)} must not hold the character ${unprintable}`);
  const name = text.startsWith('"') ? unquote(text) : fold(text);
  if (!name.ok) return name;
  return encoder.encode(name.value).length > MAXIMUM_NAME_BYTES ? refused(tooLong(text)) : name;
}

/** Reads `A, B` and `"a,b", c` as names. */
export function parseIdentifierList(text: string): Parsed<readonly string[]> {
  if (text.length > MAXIMUM_LIST_LENGTH) {
    return refused(`A list of names must be at most ${MAXIMUM_LIST_LENGTH} characters: it has ${text.length}`);
  }
  const names: string[] = [];
  const scanner = new RegExp(LIST_ITEM);
  for (let more = true; more;) {
    const match = scanner.exec(text);
    if (match === null) return refused(`The list ${excerpt(text)} must be names with commas between them`);
    const name = parseIdentifier((match[1] ?? "").trimEnd());
    if (!name.ok) return name;
    names.push(name.value);
    more = match[2] === ",";
  }
  return parsed(names);
}

/** Why no column may have that (folded) name. */
export function columnNameFault(name: string): string | undefined {
  return SYSTEM_COLUMNS.has(name) ? `The column name ${excerpt(name)} is one of PostgreSQL's own columns` : undefined;
}

/** Why no table of a user may live in the schema of that (folded) name. */
export function schemaNameFault(name: string): string | undefined {
  if (name === "tablewright") return `The schema 'tablewright' is kept for the operator's own records`;
  return name.startsWith("pg_") || name === "information_schema"
    ? `The schema ${excerpt(name)} belongs to PostgreSQL`
    : undefined;
}

/** The name in double quotes, so that no reserved word and no character in it means anything. */
export function quoteIdentifier(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new RangeError("Cannot quote the name: it must be neither empty nor hold a NUL");
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function qualifiedName(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** The text as a string constant that means the same whatever `standard_conforming_strings` is. */
export function quoteLiteral(text: string): string {
  if (text.includes("\0")) throw new RangeError("Cannot quote the text: it must not hold a NUL");
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

function unquote(text: string): Parsed<string> {
  return QUOTED.test(text)
    ? parsed(text.slice(1, -1).replaceAll('""', '"'))
    : refused(`The quoted name ${excerpt(text)} must end with its closing quote`);
}

function fold(text: string): Parsed<string> {
  if (UNQUOTED.test(text)) return parsed(text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  return refused(
    text.includes(".")
      ? `The name ${excerpt(text)} must not hold a dot outside double quotes: to name a schema set spec.schema`
      : `The name ${excerpt(text)} must start with a letter or _ and hold only letters, digits, _ and $, ` +
        `or be in double quotes`,
  );
}

function tooLong(text: string): string {
  return `The name ${excerpt(text)} must be at most ${MAXIMUM_NAME_BYTES} bytes`;
}
