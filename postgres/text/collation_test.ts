import { assertEquals } from "@std/assert";
import { isCollatable, ownCollation, parseCollation } from "./collation.ts";

Deno.test("parseCollation() takes the names of PostgreSQL's own collations as they stand", () => {
  for (
    const name of ["C", "POSIX", "default", "unicode", "en_US.utf8", "C.UTF-8", "de-x-icu", "und-x-icu", "ca_ES@euro"]
  ) {
    assertEquals(parseCollation(name), { ok: true, value: `"pg_catalog"."${name}"` });
  }
});

Deno.test("parseCollation() reads quotes and schemas as SQL does", () => {
  assertEquals(parseCollation('"C"'), { ok: true, value: '"pg_catalog"."C"' });
  assertEquals(parseCollation("Public.German"), { ok: true, value: '"public"."german"' });
  assertEquals(parseCollation('public."German"'), { ok: true, value: '"public"."German"' });
});

Deno.test("parseCollation() refuses what is no name", () => {
  for (const text of ["", "C; DROP", 'C" x', "a.b.c", "C\n", "--", "\u202eC"]) {
    assertEquals(parseCollation(text).ok, false, text);
  }
});

Deno.test("Only text has a collation, and a type of somebody else's may have one", () => {
  const type = (name: string) => ({ name, typmods: [], isArray: false });
  assertEquals(
    ["text", "varchar", "bpchar", "name", "mood"].map((name) => isCollatable(type(name))).includes(false),
    false,
  );
  assertEquals(["int4", "char", "jsonb", "bytea"].map((name) => isCollatable(type(name))).includes(true), false);
  assertEquals(ownCollation(type("name")), '"pg_catalog"."C"');
  assertEquals(ownCollation(type("mood")), undefined);
});
