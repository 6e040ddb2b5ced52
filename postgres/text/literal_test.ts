import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseDefault } from "./literal.ts";
import { parseType } from "./parse_type.ts";
import type { TypeName } from "./type_name.ts";

async function typeOf(text: string): Promise<TypeName> {
  const type = await parseType(text);
  if (!type.ok) throw new Error(type.fault);
  return type.value;
}

Deno.test("parseDefault() writes a value so that it fits the type of the column", async () => {
  const cases: readonly [unknown, string, string | undefined][] = [
    ["", "text", "''"],
    ["it's", "text", "'it''s'"],
    ["\\", "text", "E'\\\\'"],
    [5, "text", "'5'"],
    [0, "integer", "0"],
    [-5, "integer", "'-5'"],
    [5, "numeric(10,2)", "5"],
    ["1.10", "numeric", "'1.10'"],
    [true, "boolean", "true"],
    [true, "text", "'true'"],
    [false, "jsonb", "'false'"],
    ["{}", "integer[]", "'{}'"],
    ["now", "text", "'now'"],
    ["2024-01-01", "date", "'2024-01-01'"],
    [null, "text", undefined],
    [undefined, "text", undefined],
    [5, "public.mood", "'5'"],
  ];
  for (const [value, type, sql] of cases) {
    assertEquals(parseDefault(value, await typeOf(type)), { ok: true, value: sql }, `${value} ${type}`);
  }
});

Deno.test("parseDefault() refuses what is no literal of the type", async () => {
  const cases: readonly [unknown, string][] = [
    [1.5, "numeric"],
    [2 ** 53, "bigint"],
    [1e400, "double precision"],
    [NaN, "real"],
    [40_000, "smallint"],
    [3_000_000_000, "integer"],
    [1, "boolean"],
    [true, "integer"],
    [true, "date"],
    [1, "integer[]"],
    [{}, "jsonb"],
    [[], "jsonb"],
    ["a\0b", "text"],
    ["\ud800", "text"],
    ["x".repeat(4097), "text"],
    ["now", "timestamptz"],
    [" NOW ", "timestamp"],
    ["Today", "date"],
    ["tomorrow 10:00", "timestamp"],
    ["today04:00", "timestamp"],
    ["yesterday", "date"],
    ["{now}", "timestamptz[]"],
    ["[today,)", "daterange"],
    ["now", "time"],
  ];
  for (const [value, type] of cases) {
    const literal = parseDefault(value, await typeOf(type));
    if (literal.ok) throw new Error(`accepted ${String(value).slice(0, 20)} for ${type}`);
    assert(literal.fault.length < 200 && !literal.fault.includes("\0"));
  }
});

Deno.test("every text becomes one string constant, with and without standard_conforming_strings", async () => {
  const text = await typeOf("text");
  const fragments = fc.constantFrom("'", "\\", "''", "\\'", ";", "--", "/*", "$$", "E'", "a", "\n");
  fc.assert(
    fc.property(fc.array(fragments).map((parts) => parts.join("")), (value) => {
      const sql = parseDefault(value, text);
      if (!sql.ok || sql.value === undefined) throw new Error(`refused ${value}`);
      if (sql.value.startsWith("E")) assert(/^E'(?:[^'\\]|''|\\\\)*'$/.test(sql.value), sql.value);
      else assert(/^'(?:[^'\\]|'')*'$/.test(sql.value), sql.value);
    }),
    { numRuns: 10_000 },
  );
});
