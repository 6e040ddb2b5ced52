const SECRET_NAME = /(password|passwd|passphrase|token|secret|authorization|private_?key|api_?key|credential)s?$/i;
const REDACTED = "[redacted]";
const MAX_DEPTH = 6;

/**
 * Takes secrets out of a text: passwords in URLs, `password=` in connection strings, environments and JSON, `PASSWORD '…'` in SQL,
 * bearer and JSON web tokens, PEM keys.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(redact("postgres://me:pa@ss@db/app is down"), "postgres://me:[redacted]@db/app is down");
 * ```
 */
export function redact(text: string): string {
  return text
    // Bounded: users write some of these texts, and must not choose how long we look for an "@" that is not there.
    .replaceAll(/([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:\/@"']{0,256}):[^\s"']{0,1024}@/gi, `$1:${REDACTED}@`)
    .replaceAll(
      /(password|passwd|token|secret|api[_-]?key)(["']?\s*[=:]\s*)(\\?'[^']*'|\\?"[^"]*"|[^\s,;&]+)/gi,
      `$1$2${REDACTED}`,
    )
    .replaceAll(/\b(password\s+)E?'(?:[^']|'')*'/gi, `$1${REDACTED}`)
    .replaceAll(/\b(Bearer|Basic)\s+[\w.~+\/=-]{8,}/gi, `$1 ${REDACTED}`)
    .replaceAll(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED)
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?/g, REDACTED);
}

/** Takes secrets out of values at any depth; a property named like a secret (`password`, `clientSecret`) loses its value. */
export function redactProperties(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(properties, 0);
}

function redactObject(object: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && value !== undefined && value !== null ? REDACTED : redactValue(value, depth + 1),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return redact(value.message);
  if (value instanceof Date) return value;
  if (depth > MAX_DEPTH) return "[too deep]";
  if (Array.isArray(value)) return value.map((each) => redactValue(each, depth + 1));
  return redactObject(value as Record<string, unknown>, depth);
}
