/**
 * Whether two values are the same JSON: the order of members does not count, since the API server keeps none. A member with
 * the value `undefined` counts as absent.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * assert(isSameJson({ a: 1, b: [2] }, { b: [2], a: 1, c: undefined }));
 * assert(!isSameJson([1, 2], [2, 1]));
 * ```
 */
export function isSameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [before, after] = [left, right] as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].every((name) => isSameJson(before[name], after[name]));
}
