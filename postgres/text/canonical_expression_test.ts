import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  canonicalExpression,
  parseExpression,
  qualifyTypesInExpression,
  renameColumnInExpression,
} from "./parse_expression.ts";

/** What PostgreSQL 18 prints, and what a user may have written for it. */
const STORED: Readonly<Record<string, string>> = {
  "(age > 0)": "age > 0",
  "((age > 0) AND (age < 100))": "age > 0 and age < 100",
  "(name IS NOT NULL)": "name is not null",
  "((age)::text = 'x'::text)": "age::text = 'x'::text",
  "(age = ANY (ARRAY[1, 2, 3]))": "age = any(array[1, 2, 3])",
  "(name ~~ 'x%'::text)": "name ~~ 'x%'::text",
  "('x'::character varying)::text": "('x'::varchar)::text",
  "now()": "now()",
  "(now() AT TIME ZONE 'utc'::text)": "now() at time zone 'utc'::text",
  "CURRENT_TIMESTAMP": "current_timestamp",
  "EXTRACT(year FROM day)": "extract(year from day)",
  "\nCASE\n    WHEN (age > 0) THEN 1\n    ELSE 2\nEND": "case when age > 0 then 1 else 2 end",
  "'{}'::jsonb": "'{}'::jsonb",
  "('-1'::integer)::bigint": "('-1'::integer)::bigint",
  "((name || '--'::text) COLLATE \"C\")": "(name || '--'::text) collate \"C\"",
  "(\"User\" OPERATOR(public.@) 'x'::public.citext)": "\"User\" operator(public.@) 'x'::public.citext",
  "COALESCE(name, ''::text)": "coalesce(name, ''::text)",
};
const SCOPE = { columns: new Set(["age", "name", "day", "User"]) };

Deno.test("canonicalExpression() of what PostgreSQL prints is what parseExpression() gives for the same tree", async () => {
  for (const [stored, declared] of Object.entries(STORED)) {
    const expression = await parseExpression(declared, SCOPE);
    if (!expression.ok) throw new Error(expression.fault);
    const canonical = await canonicalExpression(stored);
    assertEquals(canonical, expression.value.text);
    assertEquals(await canonicalExpression(canonical), canonical);
  }
});

Deno.test("canonicalExpression() leaves what it cannot read", async () => {
  const texts = [
    "",
    "a b",
    "1) FROM (SELECT 2",
    "x\0y",
    "(SELECT 1; SELECT 2)",
    `1${"+1".repeat(5_000)}`,
    "/*".repeat(1_000),
  ];
  for (const text of texts) assertEquals(await canonicalExpression(text), text);
});

Deno.test("canonicalExpression() twice is once", async () => {
  const words = fc.constantFrom(
    ..."a b ( ) + - = < and or not is null :: int text 'x' \" , lower( in between --\n".split(" "),
  );
  const texts = fc.oneof(fc.array(words, { maxLength: 9 }).map((list) => list.join(" ")), fc.string());
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const once = await canonicalExpression(text);
      assertEquals(await canonicalExpression(once), once);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("renameColumnInExpression() renames columns, nothing else", async () => {
  const text = "a > 0 AND a(a => 'a') = (b).a AND a::a <> \"A\"";
  const hostile = 'x"; DROP TABLE y; --';
  assertEquals(
    await renameColumnInExpression(text, "a", hostile),
    `"x""; DROP TABLE y; --" > 0 AND a(a => 'a') = (b).a AND "x""; DROP TABLE y; --"::"a" <> "A"`,
  );
  assertEquals(await renameColumnInExpression("a > 0", "b", "c"), "a > 0");
  const renamed = await renameColumnInExpression("lower(a) = a", "a", "select");
  assertEquals(await renameColumnInExpression(renamed, "select", "a"), "lower(a) = a");
});

Deno.test("qualifyTypesInExpression() gives types their schemas", async () => {
  const schemas = new Map([["mood", "my app"]]);
  assertEquals(
    await qualifyTypesInExpression("a = 'x'::mood AND a = ANY (CAST(b AS mood[])) AND c::other.mood = mood", schemas),
    `a = 'x'::"my app"."mood" AND a = ANY (b::"my app"."mood"[]) AND c::"other"."mood" = mood`,
  );
  assertEquals(await qualifyTypesInExpression("a::integer", schemas), "a::integer");
});
