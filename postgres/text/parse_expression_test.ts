import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BUILT_IN_TYPES } from "./built_in_type.ts";
import { quoteIdentifier } from "./identifier.ts";
import { parseType } from "./parse_type.ts";
import { type ExpressionScope, type ParsedExpression, parseExpression } from "./parse_expression.ts";
import { loadParser } from "./pg_query.ts";
import { printType } from "./type_name.ts";

const HOSTILE = 'a"b; DROP TABLE x; --';
const SCOPE: ExpressionScope = {
  columns: new Set(["a", "b", "c", "email", "select", "User", "order", "user", "time", "é", "A", HOSTILE]),
};

async function read(text: string, scope = SCOPE): Promise<ParsedExpression> {
  const expression = await parseExpression(text, scope);
  if (!expression.ok) throw new Error(`${text}: ${expression.fault}`);
  return expression.value;
}

async function faultOf(text: string, scope = SCOPE): Promise<string> {
  const expression = await parseExpression(text, scope);
  if (expression.ok) throw new Error(`accepted ${JSON.stringify(text.slice(0, 60))} as ${expression.value.text}`);
  return expression.fault;
}

Deno.test("parseExpression() prints one text for every layout of an expression", async () => {
  const cases: Readonly<Record<string, string>> = {
    "A>0": "a > 0",
    " ( ( a )\n>\t0 ) ": "a > 0",
    "a > 0 -- positive": "a > 0",
    "/* b */ a > 0": "a > 0",
    "a > 0 and (b or not c)": "a > 0 AND (b OR NOT (c))",
    "a+b*c": "a + (b * c)",
    "(a+b)*c": "(a + b) * c",
    "cast(a as INTEGER)": "a::integer",
    "a::int4": "a::integer",
    "a::timestamp(3) with time zone": "a::timestamp(3) with time zone",
    "lower(a)::bpchar": "CAST(lower(a) AS bpchar)",
    "a::geometry(point, 4326)": `a::"geometry"('point',4326)`,
    "a::numeric(10)": "a::numeric(10,0)",
    "a::_int4": "a::integer[]",
    "a::int[3][]": "a::integer[]",
    "date '2024-01-01'": "'2024-01-01'::date",
    "(-1)::int + (a + b)::text": "CAST(-1 AS integer) + CAST(a + b AS text)",
    "a between 1 and 2": "a BETWEEN 1 AND 2",
    "a between (b and c) and c": "a BETWEEN (b AND c) AND c",
    "a not in ('x', 'it''s')": "a NOT IN ('x', 'it''s')",
    "a like (b = c)": "a LIKE (b = c)",
    "(not a) is null": "(NOT (a)) IS NULL",
    "(array['x','y'])[1]": "(ARRAY['x', 'y'])[1]",
    "(case when a then b end)[1]": "(CASE WHEN a THEN b END)[1]",
    "(a = b) at time zone 'x'": "(a = b) AT TIME ZONE 'x'",
    "now() at time zone 'utc'": "now() AT TIME ZONE 'utc'",
    "current_timestamp(3)": "CURRENT_TIMESTAMP(3)",
    "extract(YEAR from a)": "EXTRACT(YEAR FROM a)",
    "'\\' || 1": "E'\\\\' || 1",
    "E'\\n'": "'\n'",
    "U&'\\0041'": "'A'",
    "$tag$; DROP TABLE x; --$tag$": "'; DROP TABLE x; --'",
    "'/*' || '--'": "'/*' || '--'",
    "a operator(pg_catalog.=) b": "a OPERATOR(pg_catalog.=) b",
    "f(a, b => 1)": "f(a, b => 1)",
    "f(variadic a)": "f(VARIADIC a)",
    "(a, b) in ((1, 2), (3, 4))": "(a, b) IN ((1, 2), (3, 4))",
    "row(a, b) = row(1, 2)": "ROW(a, b) = ROW(1, 2)",
    '"select" = "User"': '"select" = "User"',
    "É = 1": '"É" = 1',
    "(a = b) in (a = c, true)": "(a = b) IN (a = c, true)",
  };
  for (const [text, expected] of Object.entries(cases)) {
    const scope = { columns: new Set([...SCOPE.columns, "É"]) };
    const { text: printed } = await read(text, scope);
    assertEquals(printed, expected);
    assertEquals((await read(printed, scope)).text, expected, `again: ${printed}`);
  }
});

Deno.test("parseExpression() tells everything that an expression names", async () => {
  const { columns, functions, operators, types } = await read(
    "lower(a) = any(public.f(b, b)) and c between 1 and 2 and a::public.mood <> 'x'::varchar(3) and b not like 'x' " +
      "and extract(year from c) > 0 and case a when 1 then true end and a operator(public.@) b",
  );
  assertEquals(columns, ["a", "b", "c"]);
  assertEquals(functions, [
    { name: "lower" },
    { schema: "public", name: "f" },
    { schema: "pg_catalog", name: "extract" },
  ]);
  const names = operators.map(({ schema, name }) => schema === undefined ? name : `${schema}.${name}`);
  assertEquals(names, ["=", ">=", "<=", "<>", "!~~", ">", "public.@"]);
  assertEquals(types.map(printType), ['"public"."mood"', "character varying(3)"]);
});

Deno.test("parseExpression() refuses every text that is more than one expression about one row", async () => {
  const attacks = [
    "1) FROM (SELECT 2",
    "1) WHERE (true",
    "true) AND (true",
    "a, b",
    "(a, b)",
    "a b",
    "a AS b",
    "1;",
    "1; DROP TABLE x",
    "1); DROP TABLE x; --",
    "1 FROM x",
    "1 UNION SELECT 2",
    "1 LIMIT 1",
    "1 ORDER BY 1",
    "1 INTO x",
    "DISTINCT 1",
    "*",
    "x.*",
    "(a).*",
    "x.a",
    "x.y.a",
    "DEFAULT",
    "$1",
    ":x",
    "merge_action()",
    "grouping(a)",
    "(SELECT 1)",
    "EXISTS (SELECT 1)",
    "a IN (SELECT 1)",
    "ARRAY(SELECT 1)",
    "a = ANY (SELECT 1)",
    "count(*)",
    "sum(a)",
    "pg_catalog.max(a)",
    "f(DISTINCT a)",
    "f(a ORDER BY a)",
    "f(a) FILTER (WHERE true)",
    "f(a) OVER ()",
    "f(a) WITHIN GROUP (ORDER BY a)",
    "a.b.f(1)",
    "a operator(x.y.+) b",
    "xmlelement(name x)",
    "a IS DOCUMENT",
    "json_value(a, '$')",
    "json_object('a': 1)",
    "a IS JSON",
    "now() AT LOCAL",
    "a::serial",
    "a::anyelement",
    "a::setof int",
    "a::x%type",
    "a::numeric(1+1)",
    "a::foo(pg_sleep(1))",
    "a::timestamp(7)",
    "current_timestamp(7)",
    "'now'::timestamptz",
    "date 'today'",
    "1\0",
    "a\u202e = 1",
    "'\u202e' = a",
    "U&'\\0001' = a",
    "E'\\x1b' = a",
    'U&"\\0001" = a',
    "a\r= 1",
    "'\ud800' = a",
    "--",
    "1 --\n)",
    "1 /*",
    "'x",
    '"x',
    "",
    " \n",
    "/*".repeat(100_000),
    "/**/".repeat(9) + "1",
    `1${"+1".repeat(10_000)}`,
    `1${"+1".repeat(2_000)}`,
    `${"f(".repeat(1_000)}1${")".repeat(1_000)}`,
    `${"- ".repeat(2_000)}a`,
    `${"(".repeat(3_000)}a`,
    "x".repeat(4_097),
  ];
  for (const text of attacks) {
    const fault = await faultOf(text);
    assert(fault.length < 250 && !fault.endsWith("."), fault);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u001f\u202e]/.test(fault), fault);
  }
});

Deno.test("parseExpression() names the column that is not there", async () => {
  assertEquals(await faultOf("emial <> ''"), "There is no column 'emial': did you mean email?");
  assertEquals(await faultOf('a = "draft"'), "There is no column 'draft'; text must be in single quotes");
  const fault = await faultOf("lower(a)", { columns: "none" });
  assertEquals(fault, "A default cannot use another column: 'a' is read as one; text must be in single quotes");
  assertEquals((await read("lower('a')", { columns: "none" })).columns, []);
});

Deno.test("a hostile name survives in an expression as a name", async () => {
  const { text, columns } = await read(`${quoteIdentifier(HOSTILE)} > 0`);
  assertEquals([text, columns], [`${quoteIdentifier(HOSTILE)} > 0`, [HOSTILE]]);
});

Deno.test("a cast to each of PostgreSQL's own types can be written, in any spelling", async () => {
  for (const name of BUILT_IN_TYPES.keys()) {
    for (const array of ["", "[]"]) {
      const type = await parseType(`${name === "char" || name === "bit" ? quoteIdentifier(name) : name}${array}`);
      if (!type.ok) throw new Error(type.fault);
      const printed = `a::${printType(type.value)}`;
      const { text, types } = await read(printed);
      assertEquals([text, types], [printed, [type.value]]);
    }
  }
});

/** The kinds of the statements of a text, and whether it holds a comment. */
async function wholeStatement(sql: string): Promise<readonly string[]> {
  const parse = await loadParser();
  const tree = parse(sql) as { readonly stmts: readonly { readonly stmt: Readonly<Record<string, unknown>> }[] };
  return tree.stmts.flatMap(({ stmt }) => Object.keys(stmt));
}

/** Constants and quoted names, as PostgreSQL's scanner reads them in an accepted text. */
const QUOTED = /E'(?:[^'\\]|''|\\\\)*'|'(?:[^']|'')*'|"(?:[^"]|"")+"/g;

Deno.test("no accepted text is more than an expression inside a statement", async () => {
  const words = fc.constantFrom(
    ..."a b email select from where and or not null is in between like case when then else end array row any all cast as"
      .split(" "),
    ..."( ) ( ) , . [ ] ; -- /* */ ' \" \\ $1 :: + - * / = <> 1 'x' 'y' now() lower( f( \0 \n E' $$ $x$ U&' é int text"
      .split(" "),
    ..."default current_date interval collate over filter distinct operator(pg_catalog.+) true 1.5 -1".split(" "),
    " ",
    "\n",
    '"a"',
    "'x;--'",
    "'\\'",
    "E'\\''",
    '"a""b; DROP TABLE x; --"',
    "$x$;$x$",
    "/* x */",
    "-- x\n",
    "a > 0",
    "(a = b)",
    ") AND (",
    "U&'\\0041'",
  );
  const parts = fc.array(words, { minLength: 1, maxLength: 9 });
  const texts = fc.oneof(
    parts.map((list) => list.join(" ")),
    parts.map((list) => list.join("")),
    parts.map((list) => `a = ${list.join(" ")}`),
    fc.string({ unit: "binary" }),
    fc.string({ maxLength: 40 }).map((text) => `a = '${text}'`),
    fc.string({ maxLength: 40 }).map((text) => `E'${text}' || "a"`),
    fc.string({ maxLength: 40 }).map((text) => `$x$${text}$x$ = a`),
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const expression = await parseExpression(text, SCOPE);
      if (!expression.ok) return;
      accepted++;
      const sql = expression.value.text;
      assertEquals(await wholeStatement(`CREATE TABLE t (a int, CHECK (${sql}))`), ["CreateStmt"], sql);
      assertEquals(await wholeStatement(`CREATE INDEX ON t ((${sql})) WHERE (${sql})`), ["IndexStmt"], sql);
      assertEquals(await wholeStatement(`ALTER TABLE t ALTER a TYPE text USING (${sql})`), ["AlterTableStmt"], sql);
      const bare = sql.replace(QUOTED, "q");
      assert(!/--|\/\*|;|\$|'|"|\\/.test(bare), sql);
      assertEquals((await read(sql.replaceAll("\r", " "))).text, sql.replaceAll("\r", " "));
    }),
    { numRuns: 25_000 },
  );
  assert(accepted > 500, `only ${accepted} texts were accepted`);
});
