import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  columnNameFault,
  parseIdentifier,
  parseIdentifierList,
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  schemaNameFault,
} from "./identifier.ts";

function nameOf(text: string): string {
  const name = parseIdentifier(text);
  if (!name.ok) throw new Error(name.fault);
  return name.value;
}

function faultOf(text: string): string {
  const name = parseIdentifier(text);
  if (name.ok) throw new Error(`accepted ${JSON.stringify(text)}`);
  return name.fault;
}

Deno.test("parseIdentifier() folds an unquoted name, A to Z only", () => {
  assertEquals(nameOf("WEBSITE_USERS"), "website_users");
  assertEquals(nameOf("ÉTÉ"), "ÉtÉ");
  assertEquals(nameOf("İx"), "İx");
  assertEquals(nameOf("_a$1"), "_a$1");
  assertEquals(nameOf("user"), "user");
});

Deno.test("parseIdentifier() keeps a quoted name", () => {
  assertEquals(nameOf('"User"'), "User");
  assertEquals(nameOf('"a""b"'), 'a"b');
  assertEquals(nameOf('"a.b; --"'), "a.b; --");
  assertEquals(nameOf(`"${'""'.repeat(63)}"`), '"'.repeat(63));
});

Deno.test("parseIdentifier() counts bytes", () => {
  assertEquals(nameOf("a".repeat(63)), "a".repeat(63));
  assert(!parseIdentifier("a".repeat(64)).ok);
  assertEquals(nameOf("é".repeat(31)), "é".repeat(31));
  assert(!parseIdentifier("é".repeat(32)).ok);
});

Deno.test("parseIdentifier() refuses what is not exactly one name", () => {
  const texts = [
    "",
    '""',
    " a",
    "a ",
    "1a",
    "a-b",
    "a b",
    "a;b",
    'a"b',
    '"a',
    '"a"b"',
    '"a" --',
    '"',
    '"""',
    "a\0",
    '"a\0"',
    "a\nb",
    '"a\tb"',
    "a\u202eb",
    '"\u200f"',
    "\ud800",
    '"\udc00"',
    "x".repeat(100_000),
  ];
  for (const text of texts) assert(!parseIdentifier(text).ok, JSON.stringify(text.slice(0, 20)));
});

Deno.test("parseIdentifier() says where a schema goes", () => {
  assertEquals(
    faultOf("public.users"),
    "The name 'public.users' must not hold a dot outside double quotes: to name a schema set spec.schema",
  );
});

Deno.test("a fault repeats at most 64 characters and no control character", () => {
  const fault = faultOf(`\u001b[31m${"x".repeat(500)}`);
  assert(fault.length < 160, fault);
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f]/.test(fault));
});

Deno.test("parseIdentifierList() reads names with commas between them", () => {
  assertEquals(parseIdentifierList("A, B"), { ok: true, value: ["a", "b"] });
  assertEquals(parseIdentifierList('"a,b", c'), { ok: true, value: ["a,b", "c"] });
  assertEquals(parseIdentifierList(" USER_ID "), { ok: true, value: ["user_id"] });
  for (const text of ["", "a,", ",a", "a,,b", 'a, "b', "a b", "a; b", '"a" "b"', "x,".repeat(5_000)]) {
    assert(!parseIdentifierList(text).ok, text.slice(0, 20));
  }
});

Deno.test("columnNameFault() and schemaNameFault() keep PostgreSQL's own names and ours", () => {
  assert(columnNameFault("xmin") !== undefined);
  assertEquals(columnNameFault("x_min"), undefined);
  for (const name of ["pg_catalog", "pg_mine", "information_schema", "tablewright"]) assert(schemaNameFault(name));
  assertEquals(schemaNameFault("public"), undefined);
});

Deno.test("quoteIdentifier() doubles quotes and refuses a NUL", () => {
  assertEquals(quoteIdentifier('a"b'), '"a""b"');
  assertEquals(qualifiedName("public", "select"), '"public"."select"');
  assertThrows(() => quoteIdentifier("a\0"), RangeError);
  assertThrows(() => quoteIdentifier(""), RangeError);
});

Deno.test("quoteLiteral() means the same whatever standard_conforming_strings is", () => {
  assertEquals(quoteLiteral("it's"), "'it''s'");
  assertEquals(quoteLiteral("\\' || x; --"), "E'\\\\'' || x; --'");
  assertThrows(() => quoteLiteral("\0"), RangeError);
});

Deno.test("every name that parseIdentifier() accepts quotes to one token that reads back as itself", () => {
  const fragments = fc.constantFrom(
    '"',
    "'",
    ".",
    ";",
    "--",
    "/*",
    "\\",
    "\0",
    "a",
    "A",
    "é",
    "\u202e",
    " ",
    "$",
    "1",
    "_",
  );
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.array(fragments).map((parts) => parts.join("")));
  fc.assert(
    fc.property(fc.oneof(texts, texts.map((text) => `"${text.replaceAll('"', '""')}"`)), (text) => {
      const name = parseIdentifier(text);
      if (!name.ok) return;
      const quoted = quoteIdentifier(name.value);
      assert(/^"(?:[^"\0]|"")+"$/.test(quoted), quoted);
      assertEquals(parseIdentifier(quoted), name);
    }),
    { numRuns: 10_000 },
  );
});
