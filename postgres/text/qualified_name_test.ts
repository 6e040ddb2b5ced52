import { assertEquals } from "@std/assert";
import { parseQualifiedName } from "./qualified_name.ts";

Deno.test("parseQualifiedName() folds each part unless it is quoted", () => {
  const names: readonly (readonly [string, { schema?: string; name: string }])[] = [
    ["Text_Ops", { name: "text_ops" }],
    ["Public.Ops", { schema: "public", name: "ops" }],
    ['"Public".ops', { schema: "Public", name: "ops" }],
    ['"a.b"."c""d"', { schema: "a.b", name: 'c"d' }],
  ];
  for (const [text, value] of names) assertEquals(parseQualifiedName(text), { ok: true, value });
});

Deno.test("parseQualifiedName() refuses what is not one name", () => {
  for (const text of ["", ".", "a.", ".a", "a.b.c", 'a"b"', '"a', "a b", "a, b", "a;", "a\0", `${"a".repeat(64)}.b`]) {
    assertEquals(parseQualifiedName(text).ok, false, text);
  }
});
