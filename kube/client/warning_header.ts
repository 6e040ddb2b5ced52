/**
 * Reads the texts of `Warning` headers with code 299, as the API server and admission webhooks send them to a client.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseWarnings('299 - "a, \\"b\\"", 299 - "c"'), ['a, "b"', "c"]);
 * ```
 */
export function parseWarnings(header: string | null): readonly string[] {
  if (header === null) return [];
  const matches = header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return Array.from(matches, ([, text]) => decodeUtf8((text ?? "").replaceAll(/\\(.)/g, "$1")));
}

/** Header values arrive as one character a byte; the API server writes UTF-8. */
function decodeUtf8(text: string): string {
  // deno-lint-ignore no-control-regex -- the range is what one byte can hold
  if (!/^[\x00-\xff]*$/.test(text)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  } catch {
    return text;
  }
}
