import { assertEquals } from "@std/assert";
import { jsonEquals, mergePatch } from "./merge_patch.ts";

Deno.test("mergePatch() is undefined when nothing would change", () => {
  assertEquals(mergePatch({}, {}), undefined);
  assertEquals(
    mergePatch({ a: { b: 1, c: [{ x: 1, y: 2 }] } }, { a: { c: [{ y: 2, x: 1 }], b: 1 }, d: undefined }),
    undefined,
  );
});

Deno.test("mergePatch() removes what is no longer wanted, at any depth", () => {
  assertEquals(mergePatch({ a: { b: 1, c: 2 }, kopf: {} }, { a: { b: 1 } }), { a: { c: null }, kopf: null });
});

Deno.test("mergePatch() replaces lists as a whole and values of another type", () => {
  assertEquals(mergePatch({ a: [1, 2], b: "x" }, { a: [1, 2, 3], b: { c: 1 } }), { a: [1, 2, 3], b: { c: 1 } });
});

Deno.test("jsonEquals() tells null, absent and empty apart only where JSON does", () => {
  assertEquals(jsonEquals({ a: undefined }, {}), true);
  assertEquals(jsonEquals({ a: null }, {}), false);
  assertEquals(jsonEquals([], {}), false);
  assertEquals(jsonEquals(1, "1"), false);
});
