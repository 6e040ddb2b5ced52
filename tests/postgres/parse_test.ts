import { assert, assertEquals } from "@std/assert";
import { BUILT_IN_TYPES, TYPE_ALIASES } from "../../postgres/text/built_in_type.ts";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { parseDefault } from "../../postgres/text/literal.ts";
import { parseType } from "../../postgres/text/parse_type.ts";
import { printType, type TypeName } from "../../postgres/text/type_name.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("parse");
  database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 1 });
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const { signal } = new AbortController();
const WRITE = { readOnly: false, lockTimeoutMs: 1_000, statementTimeoutMs: 10_000, signal };

async function typeOf(text: string): Promise<TypeName> {
  const type = await parseType(text);
  if (!type.ok) throw new Error(type.fault);
  return type.value;
}

/** What the server says that a column of this type is, and what it stores for the default. */
async function stored(
  type: string,
  literal?: string,
): Promise<{ readonly type: string; readonly value: string | null }> {
  const clause = literal === undefined ? "" : ` DEFAULT ${literal}`;
  const [row] = await database.transaction(WRITE, async (transaction) => {
    await transaction.query(`CREATE TEMP TABLE t (c ${type}${clause}, n integer) ON COMMIT DROP`);
    await transaction.query("INSERT INTO pg_temp.t (n) VALUES (1)");
    return await transaction.query<{ type: string; value: string | null }>(
      `SELECT format_type(a.atttypid, a.atttypmod) AS type, (SELECT c::text FROM pg_temp.t) AS value
       FROM pg_attribute a WHERE attrelid = 'pg_temp.t'::regclass AND attname = 'c'`,
    );
  });
  if (row === undefined) throw new Error("no column");
  return row;
}

Deno.test("every built-in type prints as the server prints it, alone and as an array", async () => {
  const names = [...TYPE_ALIASES.keys(), ...BUILT_IN_TYPES.keys()].filter((name) => name !== "char");
  for (const name of [...names, '"char"', "char"]) {
    for (const text of [name, `${name}[]`]) {
      const printed = printType(await typeOf(text));
      assertEquals((await stored(printed)).type, printed, text);
      assertEquals((await stored(text)).type, printed, text);
    }
  }
});

Deno.test("lengths, precisions and fields print as the server prints them", async () => {
  const texts = [
    "varchar(50)",
    "char(3)",
    "numeric(10)",
    "numeric(10,2)",
    "numeric(3,-2)",
    "numeric(3,0)",
    "bit(8)",
    "bit varying(8)",
    "timestamp(0)",
    "timestamp(3) with time zone",
    "timestamptz(6)",
    "time(2)",
    "time(2) with time zone[]",
    "interval(3)",
    "interval second(3)",
    "interval day to second(3)",
    ..."year,month,day,hour,minute,second,year to month,day to hour,day to minute,day to second,hour to minute,hour to second,minute to second"
      .split(",").map((fields) => `interval ${fields}`),
    "float(24)",
    "float(25)",
    "nchar varying(5)",
    "int[3][]",
    "varchar(5) array[4]",
  ];
  for (const text of texts) {
    const printed = printType(await typeOf(text));
    assertEquals([(await stored(text)).type, (await stored(printed)).type], [printed, printed], text);
    assertEquals(printType(await typeOf(printed)), printed);
  }
});

Deno.test("every type of pg_catalog that a column can have is known", async () => {
  const rows = await server.asSuperuser(
    `SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
       AND typcategory <> 'A' AND typname !~ '^pg_(brin|dep|mcv|ndis|node)' AND typname NOT IN ('gtsvector')`,
  );
  const unknown = rows.map((row) => String(row.typname)).filter((name) => !BUILT_IN_TYPES.has(name));
  assertEquals(unknown, []);
});

Deno.test("defaults arrive as they were written, whatever the database says of backslashes", async () => {
  const texts = ["", "it's", "\\", "\\' || 1; --", "'); DROP TABLE t; --", "E'x'", "$$x$$", "é\n\t\u{1f600}"];
  const cases: readonly (readonly [unknown, string, string])[] = [
    ...texts.map((text) => [text, "text", text] as const),
    [5, "text", "5"],
    [-5, "integer", "-5"],
    [0, "smallint", "0"],
    [Number.MAX_SAFE_INTEGER, "bigint", "9007199254740991"],
    [Number.MIN_SAFE_INTEGER, "bigint", "-9007199254740991"],
    [7, "numeric(10,2)", "7.00"],
    ["1.10", "numeric", "1.10"],
    [3, "double precision", "3"],
    [true, "boolean", "true"],
    [false, "text", "false"],
    [true, "jsonb", "true"],
    [5, "jsonb", "5"],
    ["{}", "integer[]", "{}"],
    [20240101, "date", "2024-01-01"],
    ["2024-01-01", "timestamptz", "2024-01-01 00:00:00+00"],
  ];
  for (const setting of ["off", "on"]) {
    await server.asSuperuser(`ALTER DATABASE tw_parse SET standard_conforming_strings = ${setting}`);
    for (const [value, type, expected] of cases) {
      const literal = parseDefault(value, await typeOf(type));
      if (!literal.ok || literal.value === undefined) throw new Error(`refused ${String(value)}`);
      assertEquals((await stored(type, literal.value)).value, expected, `${String(value)} ${type} ${setting}`);
    }
  }
});

Deno.test("a parse costs no event loop: the worst texts are refused in milliseconds", async () => {
  const worst = [
    "/*".repeat(100_000),
    `int${"+1".repeat(10_000)}`,
    "(".repeat(256),
    "a.".repeat(127) + "a",
    "[".repeat(250),
  ];
  await typeOf("interval year");
  const start = performance.now();
  for (const text of worst) assert(!(await parseType(text)).ok);
  assert(performance.now() - start < 500);
});
