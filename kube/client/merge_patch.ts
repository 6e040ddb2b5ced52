type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The JSON merge patch (RFC 7386) that makes `current` equal to `desired`; `undefined` if they are equal. Lists are replaced as a
 * whole, and what `desired` does not have is removed with `null`. A member with the value `undefined` counts as absent.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(mergePatch({ a: 1, b: { c: 2 } }, { b: { c: 3 } }), { a: null, b: { c: 3 } });
 * assertEquals(mergePatch({ a: [1] }, { a: [1] }), undefined);
 * ```
 */
export function mergePatch(current: JsonObject, desired: JsonObject): JsonObject | undefined {
  const patch: [string, unknown][] = [];
  for (const [name, value] of Object.entries(desired)) {
    const before = current[name];
    if (value === undefined || jsonEquals(before, value)) continue;
    patch.push([name, isObject(before) && isObject(value) ? mergePatch(before, value) : value]);
  }
  for (const [name, value] of Object.entries(current)) {
    if (value !== undefined && desired[name] === undefined) patch.push([name, null]);
  }
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}

/** Whether two values are the same JSON: the order of members does not count. */
export function jsonEquals(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => jsonEquals(value, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Array.from(names).every((name) => jsonEquals(left[name], right[name]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
