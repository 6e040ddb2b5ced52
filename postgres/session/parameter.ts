/**
 * A parameter as the text that the server reads; its type is what the statement says (`$1::uuid`, `$1::text[]`,
 * `$1::jsonb`). Arrays become array literals, other objects JSON: for a JSON array pass `JSON.stringify(list)`.
 *
 * The driver's own conversion is not used: it doubles JSON strings and needs the types of arrays from the catalog.
 */
export function parameterText(value: unknown): string | null {
  switch (typeof value) {
    case "undefined":
      return null;
    case "string":
      if (value.includes("\0")) throw new RangeError("Cannot send a parameter: it must not hold a NUL");
      return value;
    case "object":
      if (value === null) return null;
      return parameterText(Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value));
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      throw new TypeError(`Cannot send a parameter: a ${typeof value} has no text`);
  }
}

/** `{"a","b"}`, for `$1::text[]` and other arrays of one dimension. */
export function arrayLiteral(values: readonly unknown[]): string {
  const items = values.map((value) => {
    const text = parameterText(value);
    return text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`;
  });
  return `{${items.join(",")}}`;
}
