import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ParseBudget } from "./parse_budget.ts";
import { parseType } from "./parse_type.ts";
import { isBuiltIn, printType } from "./type_name.ts";

async function printed(text: string): Promise<string> {
  const type = await parseType(text);
  if (!type.ok) throw new Error(type.fault);
  return printType(type.value);
}

async function faultOf(text: string): Promise<string> {
  const type = await parseType(text);
  if (type.ok) throw new Error(`accepted ${JSON.stringify(text.slice(0, 40))}`);
  return type.fault;
}

Deno.test("printType() gives the text of format_type()", async () => {
  const cases: Readonly<Record<string, string>> = {
    "INT": "integer",
    "int2": "smallint",
    "int8": "bigint",
    "varchar(50)": "character varying(50)",
    "VarChar ( 50 )": "character varying(50)",
    "character varying": "character varying",
    "char": "character(1)",
    "character(3)": "character(3)",
    "nchar(3)": "character(3)",
    "bpchar": "bpchar",
    "text": "text",
    "numeric": "numeric",
    "numeric(10)": "numeric(10,0)",
    "decimal(10, 2)": "numeric(10,2)",
    "numeric(3,-2)": "numeric(3,-2)",
    "timestamp": "timestamp without time zone",
    "timestamp(3) with time zone": "timestamp(3) with time zone",
    "timestamptz(0)": "timestamp(0) with time zone",
    "time(2)": "time(2) without time zone",
    "timetz": "time with time zone",
    "bit": "bit(1)",
    "bit(8)": "bit(8)",
    "bit varying(8)": "bit varying(8)",
    "varbit": "bit varying",
    "interval": "interval",
    "interval(3)": "interval(3)",
    "interval day to second(3)": "interval day to second(3)",
    "interval year": "interval year",
    "float": "double precision",
    "float(24)": "real",
    "float8": "double precision",
    "real": "real",
    "bool": "boolean",
    "uuid": "uuid",
    "jsonb": "jsonb",
    "int[3]": "integer[]",
    "int[][]": "integer[]",
    "int array": "integer[]",
    "_int4": "integer[]",
    "timestamp(3)[]": "timestamp(3) without time zone[]",
    "pg_catalog.int4": "integer",
    '"char"': '"char"',
    '"bit"': '"bit"',
    'U&"d\\0061te"': "date",
  };
  for (const [text, canonical] of Object.entries(cases)) {
    assertEquals(await printed(text), canonical, text);
    assertEquals(await printed(canonical), canonical, `again: ${canonical}`);
  }
});

Deno.test("parseType() keeps a name that is not PostgreSQL's own", async () => {
  const mood = await parseType("Mood");
  assertEquals(mood, { ok: true, value: { name: "mood", typmods: [], isArray: false } });
  assert(!isBuiltIn({ name: "mood", typmods: [], isArray: false }));
  assertEquals(await printed('public."My Type"[]'), '"public"."My Type"[]');
  assertEquals(await printed("geometry(Point, 4326)"), `"geometry"('point',4326)`);
  assertEquals(await printed('"int"'), '"int"');
  assertEquals(await printed("public.int4"), '"public"."int4"');
});

Deno.test("parseType() refuses every text that is more than a type", async () => {
  const attacks = [
    "int); DROP TABLE x; --",
    "int -- c",
    "int /* c */",
    "int;",
    "int;;;",
    "int\0; drop table x",
    "int\n",
    "setof int",
    "foo(pg_sleep(1))",
    "foo((select 1))",
    "numeric(1+1)",
    "foo(1.5)",
    "foo(true)",
    "foo(null)",
    "foo(a.b)",
    "a.b.c",
    "a.b.c.d.e",
    "x%type",
    "x.y%type",
    "x.y %type",
    "int as y",
    "int y",
    "int, 2",
    "int from x",
    "int union select 1",
    "int limit 1",
    'text collate "C"',
    "int + 1",
    "int::text",
    "int is null",
    "int order by 1",
    "int into x",
    "int where true",
    "(int)",
    "$1",
    "int[$1]",
    `int${"+1".repeat(10_000)}`,
    `int${"+1".repeat(120)}`,
    "(".repeat(250),
    "/*".repeat(100_000),
    "x".repeat(64),
    "x\u202ey",
    "\ud800",
    'U&"\\0001"',
    "",
    "  ",
  ];
  for (const text of attacks) {
    const fault = await faultOf(text);
    assert(fault.length < 250, fault);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f\u202e]/.test(fault), fault);
  }
});

Deno.test("parseType() refuses types that no column can have, and says what to write", async () => {
  for (const text of ["void", "anyelement", "record", "trigger", "cstring", "unknown", '"any"', "pg_catalog.record"]) {
    assert((await faultOf(text)).includes("pseudo-type"), text);
  }
  for (const text of ["serial", "BIGSERIAL", "smallserial", "serial4"]) {
    assert((await faultOf(text)).includes("write"), text);
  }
  assert((await faultOf("int(4)")).includes("integer takes nothing in parentheses"));
  assert((await faultOf("text(10)")).includes("varchar(n)"));
  assert((await faultOf("integer NOT NULL")).includes("long form"));
  assert((await faultOf("timestamp with time zone(3)")).includes("timestamp(3) with time zone"));
});

Deno.test("parseType() refuses lengths and precisions that PostgreSQL refuses or silently changes", async () => {
  const texts = [
    "timestamp(7)",
    "timestamptz(9)",
    "time(7)",
    "interval(7)",
    "interval second(7)",
    "varchar(0)",
    "varchar(-1)",
    "char(10485761)",
    "varchar(1,2)",
    "numeric(1001)",
    "numeric(0)",
    "numeric(5,1001)",
    "numeric(1,2,3)",
    "bit(0)",
    "varchar('x')",
    "numeric(x)",
    "uuid(3)",
    "pg_catalog.interval(12345)",
    "pg_catalog.nothing",
  ];
  for (const text of texts) await faultOf(text);
});

Deno.test("no accepted text prints anything but one type", async () => {
  const words = fc.constantFrom(
    ..."int integer varchar numeric timestamp interval with without time zone day to second year mood public pg_catalog"
      .split(" "),
    ..."( ) , . [ ] ; -- /* */ ' \" \\ % $1 :: + - 1 50 3000000000 null select setof type \0 \n U& E' $$ é".split(" "),
    " ",
    "\0",
    '"a;b"',
    '"--"',
    "'x;--'",
    "U&'\\0041'",
    '"""',
  );
  const nearly = fc.array(words, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(" "));
  const glued = fc.array(words, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(""));
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearly, glued, fc.string({ unit: "binary" })), async (text) => {
      const type = await parseType(text);
      if (!type.ok) return;
      accepted++;
      const sql = printType(type.value);
      assertOneType(sql);
      if (type.value.schema !== undefined || isBuiltIn(type.value)) assertEquals(await printed(sql), sql);
    }),
    { numRuns: 20_000 },
  );
  assert(accepted > 50, `only ${accepted} texts were accepted`);
});

/** Outside quotes, a printed type holds letters, digits, spaces and balanced parentheses only. */
function assertOneType(sql: string): void {
  const bare = sql.replace(/"(?:[^"]|"")+"/g, "q").replace(/E'(?:[^'\\]|''|\\\\)*'|'(?:[^'\\]|'')*'/g, "1");
  assert(/^[A-Za-z0-9_ ]+(\.[A-Za-z0-9_]+)?(\([-0-9,]+\)( [a-z ]+)?)?(\[\])?$/.test(bare), sql);
}

Deno.test("parseType() refuses what comes when the time for parsing is over, but for what it knows", async () => {
  let clock = 0;
  // Each text takes 30 ms, and some are free.
  const budget = new ParseBudget(50, () => clock += 30);
  const names = Array.from({ length: 102 }, (_, number) => `budget.type_${number}`);
  const oks = [];
  for (const name of names) oks.push((await parseType(name, budget)).ok);
  assertEquals(oks.lastIndexOf(true), 100);
  assertEquals(await parseType("budget.type_101", budget), {
    ok: false,
    fault: "The type 'budget.type_101' is too complex",
  });
  assertEquals((await parseType("varchar(7)", budget)).ok, true);
  assertEquals((await parseType("budget.type_0", budget)).ok, true);
  assertEquals((await parseType("budget.type_101")).ok, true);
});
