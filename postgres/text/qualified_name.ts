import { excerpt, type Parsed, parsed, refused } from "./fault.ts";
import { parseIdentifier } from "./identifier.ts";

/** A name that may say its schema. */
export interface QualifiedName {
  readonly schema?: string;
  readonly name: string;
}

const PART = String.raw`("(?:[^"]|"")*"|[^".]*)`;
const QUALIFIED = new RegExp(`^${PART}(?:\\.${PART})?$`);

/**
 * Reads `name` or `schema.name`, each part folded unless it is in double quotes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseQualifiedName('public."My Name"'), { ok: true, value: { schema: "public", name: "My Name" } });
 * ```
 */
export function parseQualifiedName(text: string): Parsed<QualifiedName> {
  const match = QUALIFIED.exec(text);
  if (match === null) return refused(`${excerpt(text)} must be a name, or a schema and a name with a dot between them`);
  const [, first = "", second] = match;
  const head = parseIdentifier(first);
  if (!head.ok || second === undefined) return head.ok ? parsed({ name: head.value }) : head;
  const tail = parseIdentifier(second);
  return tail.ok ? parsed({ schema: head.value, name: tail.value }) : tail;
}
