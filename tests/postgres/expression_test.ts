import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lookUpFunctions } from "../../postgres/resolve/function_catalog.ts";
import { type FunctionVerdict, judgeFunctions } from "../../postgres/resolve/functions.ts";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import { canonicalExpression, type ParsedExpression, parseExpression } from "../../postgres/text/parse_expression.ts";
import { parseType } from "../../postgres/text/parse_type.ts";
import type { TypeName } from "../../postgres/text/type_name.ts";
import { resolveTypes } from "../../postgres/resolve/type_catalog.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("expression");
  database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 2 });
  await server.asSuperuser(
    "CREATE SCHEMA extensions",
    "GRANT USAGE ON SCHEMA extensions TO PUBLIC",
    "CREATE EXTENSION citext SCHEMA extensions",
    "CREATE EXTENSION hstore SCHEMA extensions",
    `CREATE EXTENSION "uuid-ossp" SCHEMA extensions`,
    "CREATE EXTENSION pg_trgm SCHEMA extensions",
    "CREATE SCHEMA open",
    "GRANT ALL ON SCHEMA open TO PUBLIC",
    "CREATE EXTENSION unaccent SCHEMA open",
    "CREATE EXTENSION isn SCHEMA open",
    "CREATE EXTENSION dblink SCHEMA extensions",
    "CREATE FUNCTION public.twice(x integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT x * 2'",
  );
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const { signal } = new AbortController();
const WRITE = { readOnly: false, lockTimeoutMs: 1_000, statementTimeoutMs: 10_000, signal };
const COLUMNS: Readonly<Record<string, string>> = {
  id: "integer",
  price: "numeric(10,2)",
  name: "text",
  code: "varchar(20)",
  day: "date",
  at: "timestamp with time zone",
  tags: "text[]",
  doc: "jsonb",
  ok: "boolean",
  'a"b; --': "integer",
};
const SCOPE = { columns: new Set(Object.keys(COLUMNS)) };

async function read(text: string, columns: ReadonlySet<string> | "none" = SCOPE.columns): Promise<ParsedExpression> {
  const expression = await parseExpression(text, { columns });
  if (!expression.ok) throw new Error(`${text}: ${expression.fault}`);
  return expression.value;
}

/** What the server stores for a CHECK. */
async function storedCheck(transaction: Transaction, condition: string): Promise<string> {
  const columns = Object.entries(COLUMNS).map(([name, type]) => `"${name.replaceAll('"', '""')}" ${type}`).join(", ");
  await transaction.query(`CREATE TEMP TABLE t (${columns}, CONSTRAINT c CHECK (${condition}))`);
  const [row] = await transaction.query<{ readonly text: string }>(
    "SELECT pg_get_expr(conbin, conrelid) AS text FROM pg_constraint WHERE conname = 'c' AND conrelid = 'pg_temp.t'::regclass",
  );
  await transaction.query("DROP TABLE pg_temp.t");
  return row?.text ?? "";
}

const CHECKS = [
  "id > 0",
  "price between 0 and 1000 and not (name like '%;--%')",
  "name in ('a', 'it''s', E'\\\\', '/*') or code not in ('x', 'y')",
  "id = any (array[1, 2, 3])",
  "ok is not false and (id is null) = (name is null)",
  "(ok and id > 0) is not unknown",
  "name is distinct from 'x' and nullif(name, '') is not null",
  "length(trim(both ' ' from name)) > 0 and position('x' in name || code) = 0",
  "substring(name from 1 for 2) = 'ab' and overlay(name placing 'x' from 1) <> name",
  "case id when 1 then price > 0 when 2 then ok else true end",
  "case when id > 0 then name else code end <> ''",
  "coalesce(price, 0) * 1.19 < greatest(1, id) ^ 2 - -5",
  "extract(year from day) > 2000 and date_trunc('day', at) <= at",
  "at > timestamp with time zone '2000-01-01 00:00:00+00' and at at time zone 'utc' < timestamp '3000-01-01'",
  "day + interval '1 day' > date '2000-01-01' and at + interval '1' hour > at",
  "doc -> 'a' ->> 'b' = 'c' or doc @> '{\"x\": 1}' or doc ? 'y' or (doc #>> '{a,0}')::integer > 0",
  "tags[1] = 'x' and tags[1:2] <> array['y'] and (array['a', 'b'])[id] = name",
  "name ~* '^[^@]+@[^@]+$' and name similar to 'a%' escape '#' and code not ilike 'X%' escape '!'",
  "(id, price) in ((1, 2), (3, 4)) and row(id, name) <> row(5, 'x')",
  'name collate "C" < \'x\' collate "C"',
  "cast(price as integer) % 2 = 0 and id::smallint = 1 and code::char(3) = 'abc' and name::bpchar = 'x'",
  '"a""b; --" <> 7',
  "make_interval(days => id) < '1 year' and num_nonnulls(id, name) > 1",
  "format('%s', variadic tags) <> ''",
  "id operator(pg_catalog.+) 1 > 0",
  "current_date > day and now() > at and current_timestamp(3) > at",
  "(day, day) overlaps (date '2000-01-01', interval '1 day') and name is normalized",
  "not not ok",
  "id - (id - 1) = 1 and (id - id) - 1 = -1 and - (- id) = id",
];

Deno.test("the text of an expression means to PostgreSQL what was written", async () => {
  await database.transaction(WRITE, async (transaction) => {
    for (const check of CHECKS) {
      const { text } = await read(check);
      assertEquals(await storedCheck(transaction, text), await storedCheck(transaction, check), check);
    }
  });
});

Deno.test("what PostgreSQL prints becomes canonical, and keeps its meaning", async () => {
  await database.transaction(WRITE, async (transaction) => {
    for (const check of CHECKS) {
      const stored = await storedCheck(transaction, check);
      const canonical = await canonicalExpression(stored);
      assert(canonical !== stored || !stored.startsWith("("), stored);
      assertEquals(await canonicalExpression(canonical), canonical, stored);
      assertEquals(await storedCheck(transaction, canonical), await storedCheck(transaction, stored), check);
      assertEquals(await canonicalExpression(`(${stored})`), canonical);
    }
  });
});

async function verdictOf(text: string, allowed: readonly string[] = []): Promise<FunctionVerdict> {
  const names = await read(text, new Set(["a", "b"]));
  const options = { ...WRITE, readOnly: true };
  const facts = await database.transaction(options, (transaction) => lookUpFunctions(transaction, [names]));
  return judgeFunctions(names, facts, new Set(allowed));
}

Deno.test("functions that only compute may be called", async () => {
  const texts = [
    "lower(a) = upper(b)",
    "now()",
    "random() < 0.5",
    "gen_random_uuid()",
    "clock_timestamp()",
    "to_char(now(), 'YYYY')",
    "to_tsvector('english', a)",
    "jsonb_build_object('x', a)",
    "current_setting('app.tenant', true)",
    "pg_catalog.md5(a)",
    "extract(year from now())",
    "a is normalized and b similar to 'x'",
    "a between 1 and 2 and a in (1, 2) and case a when 1 then true end",
    "num_nulls(a, b) = 0",
    "make_date(2000, 1, 1)",
    "round(1.5, 1)",
    "array_length(array[1], 1)",
    "date_part('year', now())",
  ];
  for (const text of texts) assertEquals(await verdictOf(text), { faults: [], searchPath: [] }, text);
});

Deno.test("functions that do more are refused, with the reason", async () => {
  const cases: Readonly<Record<string, string>> = {
    "query_to_xml('select 1', true, true, '')::text": "query_to_xml() must not be called: it reads whole tables",
    "table_to_xml('pg_class', true, true, '')::text": "reads whole tables",
    "schema_to_xmlschema('x', true, true, '')::text": "reads whole tables",
    "pg_sleep(1) is null": "it is volatile",
    "pg_catalog.pg_sleep(1) is null": "pg_catalog.pg_sleep() must not be called",
    "set_config('a.b', 'c', false)": "it is volatile",
    "pg_try_advisory_lock(1)": "it is volatile",
    "pg_notify('a', 'b') is null": "it is volatile",
    "pg_read_file('/etc/passwd')": "it is volatile",
    "lo_import('/etc/passwd')": "it is volatile",
    "lo_unlink(1)": "it is volatile",
    "setseed(0.1) is null": "it is volatile",
    "nextval('s')": "use identity",
    "currval('s')": "use identity",
    "pg_stat_get_backend_activity(1)": "what other sessions do",
    // Before 16 there is none.
    "pg_input_is_valid(a, 'public.x')": "pg_input_is_valid()",
    "domain_in(a, 1, 1)::text": "PostgreSQL's own use",
    "int4in(a)": "PostgreSQL's own use",
    "ts_rewrite(a, 'select')": "it is volatile",
    "generate_series(1, 2) > 1": "it gives several rows",
    "unnest(a)": "it gives several rows",
    "public.twice(1)": "neither PostgreSQL's own nor an extension's; --allow-function public.twice would allow it",
    "twice(1)": "There is no function twice(): write public.twice()",
    "loower(a)": "did you mean lower()?",
    "nowhere.f(a)": "There is no function nowhere.f()",
    "xyzzy_unknown(a)": "There is no function xyzzy_unknown()",
    "dblink_exec(a, b)": "it is volatile",
    "extensions.dblink_connect(a)": "extensions.dblink_connect() must not be called: it is volatile",
    "unaccent(a)": "in its schema everybody may create functions",
    "open.unaccent(a)": "revoke CREATE on 'open'",
    "a operator(nowhere.+) b": "There is no operator nowhere.+",
    "a ==> b": "There is no operator ==>",
  };
  for (const [text, reason] of Object.entries(cases)) {
    const { faults } = await verdictOf(text);
    assertStringIncludes(faults.join("\n"), reason);
    assertEquals(faults.length, 1, text);
  }
});

Deno.test("a function that the administrator answers for may be called by its full name", async () => {
  assertEquals((await verdictOf("public.twice(1)", ["public.twice"])).faults, []);
  assertEquals((await verdictOf("pg_notify('a', b) is null", ["pg_catalog.pg_notify"])).faults, []);
  assertEquals((await verdictOf("twice(1)", ["public.twice"])).faults.length, 1);
});

Deno.test("an extension's names bring its schema onto the search path", async () => {
  for (
    const text of ["uuid_generate_v4()", "similarity(a, b) > 0.5", "a <% b", "a::citext = b", "hstore(a, b) is null"]
  ) {
    assertEquals(await verdictOf(text), { faults: [], searchPath: ["extensions"] }, text);
  }
  assertEquals(await verdictOf("extensions.uuid_generate_v4()"), { faults: [], searchPath: [] });
});

Deno.test("of several functions with one name all must be good", async () => {
  await server.asSuperuser(
    "CREATE FUNCTION extensions.lower(x integer) RETURNS text VOLATILE LANGUAGE sql AS 'SELECT 1::text'",
    "CREATE FUNCTION extensions.eq(a text, b integer) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR extensions.< (LEFTARG = text, RIGHTARG = integer, FUNCTION = extensions.eq)",
  );
  assertEquals((await verdictOf("lower(a) = b")).faults, []);
  const { faults } = await verdictOf("lower(a) < b::citext");
  assertStringIncludes(faults[0] ?? "", "extensions.lower is neither PostgreSQL's own nor an extension's");
  assertStringIncludes(faults[1] ?? "", "The operator extensions.< must not be used");
  assertEquals((await verdictOf("pg_catalog.lower(a) operator(pg_catalog.=) b::citext")).faults, []);
  await server.asSuperuser(
    "DROP OPERATOR extensions.< (text, integer)",
    "DROP FUNCTION extensions.eq, extensions.lower(integer)",
  );
});

Deno.test("who may create in the schema of an extension decides", async () => {
  const other = "tw_expression_other";
  await server.asSuperuser(`GRANT CREATE ON SCHEMA extensions TO ${other}`);
  const { faults } = await verdictOf("uuid_generate_v4()");
  assertStringIncludes(faults.join(), `in its schema '${other}' may create functions`);
  assertStringIncludes((await verdictOf("a = b::citext")).faults.join(), "A type of the schema 'extensions'");
  await server.asSuperuser(`REVOKE CREATE ON SCHEMA extensions FROM ${other}`);
  await server.asSuperuser(`ALTER SCHEMA extensions OWNER TO ${other}`);
  assertEquals((await verdictOf("uuid_generate_v4()")).faults.length, 1);
  await server.asSuperuser("ALTER SCHEMA extensions OWNER TO tw_expression_operator");
  assertEquals((await verdictOf("uuid_generate_v4()")).faults, []);
  // The owner of an extension may add what is his to it.
  await server.asSuperuser(
    "CREATE FUNCTION extensions.trap() RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
    `ALTER FUNCTION extensions.trap() OWNER TO ${other}`,
    "ALTER EXTENSION hstore ADD FUNCTION extensions.trap()",
  );
  assertStringIncludes((await verdictOf("trap()")).faults.join(), `it belongs to the role '${other}'`);
});

Deno.test("on the path of a verdict citext compares as citext", async () => {
  await database.transaction(WRITE, async (transaction) => {
    const check = `CREATE TEMP TABLE t (a extensions.citext, CONSTRAINT c CHECK (${
      (await read("a = 'ABC'", new Set(["a"]))).text
    }))`;
    const stored = "SELECT pg_get_expr(conbin, conrelid) AS text FROM pg_constraint WHERE conname = 'c'";
    await transaction.query(check);
    const [silent] = await transaction.query<{ text: string }>(stored);
    assertStringIncludes(silent?.text ?? "", "(a)::text");
    await transaction.query("DROP TABLE pg_temp.t");
    await transaction.query("SELECT pg_catalog.set_config('search_path', 'pg_catalog, \"extensions\", pg_temp', true)");
    await transaction.query(check);
    await transaction.query("INSERT INTO pg_temp.t VALUES ('abc')");
  });
});

Deno.test("no function of PostgreSQL's own that is accepted runs SQL, changes state or reads files", async () => {
  const rows = await server.asSuperuser(
    "SELECT DISTINCT proname AS name FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace",
  );
  const functions = rows.map((row) => ({ name: String(row.name) }));
  const called = { functions, operators: [], types: [] };
  const facts = await database.transaction(
    { ...WRITE, readOnly: true },
    (transaction) => lookUpFunctions(transaction, [called]),
  );
  const accepted = functions.filter((name) =>
    judgeFunctions({ ...called, functions: [name] }, facts, new Set()).faults.length === 0
  ).map(({ name }) => name);
  const suspicious =
    /xml(schema)?$|^(lo_(?!g)|pg_(advis|try_adv|read|ls_|sleep|notify|term|cancel|reload|stat_|file_|switch|create|drop|log_|wal_)|set_config|nextval|setval|ts_stat|query_|binary_upgrade|.*(_in|_recv|_handler)$)/;
  assertEquals(accepted.filter((name) => suspicious.test(name)).sort(), ["pg_wal_lsn_diff", "xml"]);
  assert(accepted.length > 1_000);
});

async function resolve(texts: readonly string[]): Promise<readonly string[]> {
  const types: TypeName[] = [];
  for (const text of texts) {
    const type = await parseType(text);
    if (!type.ok) throw new Error(type.fault);
    types.push(type.value);
  }
  const verdict = await database.transaction(
    { ...WRITE, readOnly: true },
    (transaction) => resolveTypes(transaction, types, { specSchema: "public", allowed: new Set() }),
  );
  return [...verdict.types.values()].map((type) =>
    type.ok ? `${type.value.schema}.${type.value.name}${type.value.isArray ? "[]" : ""}` : type.fault
  );
}

Deno.test("types resolve to the extension that has them, then to the schema of the spec", async () => {
  await server.asSuperuser(
    "CREATE SCHEMA app",
    "GRANT USAGE ON SCHEMA app TO PUBLIC",
    "CREATE TYPE public.mood AS ENUM ('glad')",
    "CREATE TYPE app.size AS ENUM ('big')",
    "CREATE DOMAIN public.citext AS text",
    "CREATE DOMAIN public.label AS varchar(20)",
    `CREATE DOMAIN public.email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$' AND length(VALUE) < 100)`,
    "CREATE DOMAIN public.emails AS public.email[] CHECK (cardinality(VALUE) > 0)",
    `CREATE TYPE public."My Type" AS ENUM ('x')`,
  );
  const types = [
    "citext",
    "hstore[]",
    "mood",
    "mood[]",
    "label",
    "email",
    "emails",
    "app.size",
    '"My Type"',
    "integer",
  ];
  assertEquals(await resolve(types), [
    "extensions.citext",
    "extensions.hstore[]",
    "public.mood",
    "public.mood[]",
    "public.label",
    "public.email",
    "public.emails",
    "app.size",
    "public.My Type",
  ]);
});

Deno.test("types that are not there, run code or are none are refused, with what to write", async () => {
  await server.asSuperuser(
    "CREATE FUNCTION app.f(v text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE DOMAIN public.trap AS text CHECK (app.f(VALUE))",
    "CREATE DOMAIN public.on_trap AS public.trap",
    "CREATE DOMAIN public.traps AS public.trap[]",
    "CREATE DOMAIN public.foreign_label AS text",
    "ALTER DOMAIN public.foreign_label OWNER TO tw_expression_other",
    "CREATE TYPE public.pair AS (a integer, b integer)",
    "CREATE TABLE public.some_table (a integer)",
    "CREATE TYPE public.floats AS RANGE (subtype = float8)",
    "CREATE TYPE public.secret AS ENUM ('x')",
    "REVOKE USAGE ON TYPE public.secret FROM PUBLIC",
  );
  const cases: Readonly<Record<string, string>> = {
    "moood": "There is no type 'moood': did you mean mood?",
    "size": "There is no type 'size': write app.size",
    "app.sizes": "did you mean app.size?",
    "hstor": "did you mean extensions.hstore?",
    "interger": "did you mean integer?",
    "nothing_like_it": "There is no type 'nothing_like_it'",
    "_mood": "The type public._mood is an array: write the type of its elements, and []",
    "mood(3)": "takes nothing in parentheses",
    "public.trap":
      "the CHECK of domain public.trap would run with the operator's rights: The function app.f() must not be called",
    "on_trap": "the CHECK of domain public.trap",
    "traps": "the CHECK of domain public.trap",
    "foreign_label": "belongs to the role 'tw_expression_other'",
    "pair": "public.pair is neither an enum",
    "some_table": "public.some_table is neither an enum",
    "floats": "public.floats is neither an enum",
    "secret": "no USAGE",
  };
  for (const [text, reason] of Object.entries(cases)) {
    const [fault = ""] = await resolve([text]);
    assertStringIncludes(fault, reason);
  }
});
