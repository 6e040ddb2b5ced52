import { assertEquals } from "@std/assert";
import { readIdentifier, readQualifiedName, requote } from "./printed_name.ts";

Deno.test("readQualifiedName() reads every form that PostgreSQL prints", () => {
  const forms: Readonly<Record<string, readonly [string, string]>> = {
    "public.users": ["public", "users"],
    'public."User"': ["public", "User"],
    '"a.b"."c""d.e"': ["a.b", 'c"d.e'],
    users: ["pg_catalog", "users"],
    '"C"': ["pg_catalog", "C"],
  };
  for (const [text, [schema, name]] of Object.entries(forms)) assertEquals(readQualifiedName(text), { schema, name });
});

Deno.test("readIdentifier() takes quotes only from what has them", () => {
  assertEquals([readIdentifier("a"), readIdentifier('"A ""b"""')], ["a", 'A "b"']);
});

Deno.test("requote() always quotes and always names the schema", () => {
  assertEquals(requote('"de-x-icu"'), '"pg_catalog"."de-x-icu"');
  assertEquals(requote('public."a""b"'), '"public"."a""b"');
});
