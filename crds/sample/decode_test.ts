import { assertEquals } from "@std/assert";
import { decodeSampleSpec } from "./decode.ts";

function pathsOf(spec: unknown): readonly string[] {
  const decoded = decodeSampleSpec(spec);
  return decoded.ok ? [] : decoded.errors.map(({ path }) => path);
}

Deno.test("decodeSampleSpec() reads a count from nothing to a thousand", () => {
  assertEquals([0, 2, 1000].map((count) => decodeSampleSpec({ count })), [
    { ok: true, value: { count: 0 } },
    { ok: true, value: { count: 2 } },
    { ok: true, value: { count: 1000 } },
  ]);
});

Deno.test("decodeSampleSpec() names the field of every fault", () => {
  assertEquals(pathsOf(undefined), ["spec"]);
  assertEquals(pathsOf([]), ["spec"]);
  assertEquals(pathsOf({}), ["spec.count"]);
  for (const count of [-1, 1001, 1.5, "2", null]) assertEquals(pathsOf({ count }), ["spec.count"]);
  assertEquals(pathsOf({ count: 1, size: 2 }), ["spec.size"]);
});
