import { assertEquals } from "@std/assert";
import type { SchemaChange } from "../../postgres/change.ts";
import { describeAnswer } from "../../postgres/data/answer.ts";
import { questionsFor } from "../../postgres/data/question.ts";
import type { Column } from "../../postgres/table.ts";
import { foreignKey, notNull, ProbeFixture, table, unique } from "../harness/probe_fixture.ts";

let fixture: ProbeFixture;

Deno.test.beforeAll(async () => {
  fixture = await ProbeFixture.start("data_probe");
});

Deno.test.afterAll(async () => {
  await fixture?.stop();
});

Deno.test("askData() counts nulls, also in a composite value whose fields are all null", async () => {
  await fixture.setUp(
    "CREATE TYPE public.pair AS (x integer, y integer)",
    "CREATE DOMAIN public.pair_domain AS public.pair",
    "CREATE DOMAIN public.pair_domain_2 AS public.pair_domain",
    "CREATE TABLE public.nulls (id integer, email text, p public.pair, q public.pair_domain, r public.pair_domain_2)",
    "INSERT INTO public.nulls SELECT n, CASE WHEN n > 12 THEN 'secret-' || n END, '(,)', '(,)', '(,)' FROM generate_series(1, 40) n",
    "INSERT INTO public.nulls VALUES (41, 'secret-41', NULL, NULL, NULL)",
  );
  const asked = table("nulls", "id integer", "email text", 'p "public"."pair"', "q any", "r any");
  assertEquals(await fixture.answers(["id", "email", "p", "q", "r"].map(notNull), asked), [
    "holds",
    "12 rows have no value for email",
    "1 row has no value for p",
    "1 row has no value for q",
    "1 row has no value for r",
  ]);
});

Deno.test("askData() finds duplicates as a unique index would, with NULLs distinct or not", async () => {
  await fixture.setUp(
    "CREATE TABLE public.doubles (a integer, b text, c integer)",
    "INSERT INTO public.doubles VALUES (1, 'x', 1), (1, 'x', 2), (1, NULL, 3), (1, NULL, 4), (2, 'x', NULL), (3, 'y', NULL)",
  );
  const asked = table("doubles", "a integer", "b text", "c integer");
  const cases: readonly (readonly [string, boolean, string])[] = [
    ["a", false, "1 value of a occurs more than once"],
    ["a,b", false, "1 value of (a, b) occurs more than once"],
    ["a,b", true, "2 values of (a, b) occur more than once"],
    ["c", false, "holds"],
    ["c", true, "1 value of c occurs more than once"],
    ["a,c", true, "holds"],
  ];
  for (const [columns, nullsNotDistinct, expected] of cases) {
    assertEquals(await fixture.answers([unique(columns.split(","), nullsNotDistinct)], asked), [expected]);
    const nulls = nullsNotDistinct ? "NULLS NOT DISTINCT " : "";
    const accepted = await fixture.succeeds(`ALTER TABLE public.doubles ADD UNIQUE ${nulls}(${columns})`);
    assertEquals(accepted, expected === "holds", `UNIQUE ${nulls}(${columns})`);
  }
  assertEquals(await fixture.answers([{ kind: "AddPrimaryKey", key: { columns: ["a", "c"] } }], asked), [
    "holds",
    "2 rows have no value for c",
    "holds",
  ]);
});

Deno.test("askData() compares by the column's collation", async () => {
  await fixture.setUp(
    "CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "CREATE TABLE public.cases (a text COLLATE public.nocase, b text)",
    "INSERT INTO public.cases VALUES ('one', 'one'), ('ONE', 'ONE')",
  );
  const asked = table("cases", "a text", "b text");
  assertEquals(await fixture.answers([unique(["a"]), unique(["b"])], asked), [
    "1 value of a occurs more than once",
    "holds",
  ]);
});

Deno.test("askData() finds orphans; one NULL exempts a row", async () => {
  await fixture.setUp(
    "CREATE TABLE public.parents (id bigint PRIMARY KEY, x integer, y text, UNIQUE (x, y))",
    "INSERT INTO public.parents VALUES (1, 1, 'a'), (2, 2, 'b')",
    "CREATE TABLE public.children (p integer, x integer, y varchar(9), boss integer, id integer UNIQUE)",
    `INSERT INTO public.children VALUES (1, 1, 'a', NULL, 1), (2, 2, NULL, 1, 2), (NULL, NULL, 'zzz', 2, 3),
      (77, 1, 'b', 9, 4), (88, 1, 'secret', NULL, 5)`,
  );
  const asked = table("children", "p integer", "x integer", "y character varying(9)", "boss integer", "id integer");
  const cases: readonly (readonly [readonly string[], string, readonly string[], string])[] = [
    [["p"], "parents", ["id"], "2 rows refer to no row of public.parents"],
    [["x", "y"], "parents", ["x", "y"], "2 rows refer to no row of public.parents"],
    [["x"], "parents", ["id"], "holds"],
    [["boss"], "children", ["id"], "1 row refers to no row of public.children"],
  ];
  for (const [columns, target, references, expected] of cases) {
    assertEquals(await fixture.answers([foreignKey(columns, target, references)], asked), [expected]);
    const accepted = await fixture.succeeds(
      `ALTER TABLE public.children ADD FOREIGN KEY (${columns}) REFERENCES public.${target} (${references})`,
    );
    assertEquals(accepted, expected === "holds", `${columns} -> ${target}`);
  }
  assertEquals(await fixture.answers([foreignKey(["p"], "parents", [])], asked), [
    "2 rows refer to no row of public.parents",
  ]);
  assertEquals(await fixture.answers([foreignKey(["p"], "nobody", ["id"])], asked), ["missing"]);
  assertEquals(await fixture.answers([foreignKey(["p"], "parents", ["nothing"])], asked), ["missing"]);
  assertEquals(await fixture.answers([foreignKey(["p"], "parents", ["y"])], asked), ["unsafe"]);
});

/** Old type, new type, values, and what of them is said; the same is asked of ALTER TABLE itself. */
const TYPES: readonly (readonly [string, string, readonly string[], string])[] = [
  ["text", "character varying(5)", ["'äöüßé'", "'12345   '", "NULL", "''"], "holds"],
  ["text", "character varying(5)", ["'12345 7'"], "the longest value of v has 7 characters"],
  ["text", "character(3)", ["'äöüx'", "'a'"], "the longest value of v has 4 characters"],
  ["character varying(9)", "character(3)", ["'abc   '"], "holds"],
  ["character(9)", "character varying(4)", ["'abc'", "'abcd'"], "holds"],
  ["character(9)", "character varying(4)", ["'abcde'"], "the longest value of v has 5 characters"],
  ["bit varying(8)", "bit varying(3)", ["'101'", "''"], "holds"],
  ["bit varying", "bit varying(3)", ["'1011'"], "the longest value of v has 4 bits"],
  ["bit varying(8)", "bit(3)", ["'101'", "NULL"], "holds"],
  ["bit varying(8)", "bit(3)", ["'10'", "'1011'"], "2 values of v do not have 3 bits"],
  ["bigint", "smallint", ["32767", "-32768"], "holds"],
  ["bigint", "smallint", ["32768"], "1 value of v does not fit smallint"],
  ["bigint", "integer", ["-2147483649", "9223372036854775807"], "2 values of v do not fit integer"],
  ["numeric", "bigint", ["9223372036854775807.4", "-9223372036854775808.4"], "holds"],
  ["numeric", "bigint", ["9223372036854775807.5"], "1 value of v does not fit bigint"],
  ["numeric", "smallint", ["'NaN'", "'Infinity'", "'-Infinity'", "-32768.5"], "4 values of v do not fit smallint"],
  ["numeric", "numeric(4,2)", ["99.994", "'NaN'", "-99.994"], "holds"],
  ["numeric", "numeric(4,2)", ["99.995", "-99.995", "'Infinity'"], "3 values of v do not fit numeric(4,2)"],
  ["numeric(4,2)", "numeric(3,1)", ["99.94"], "holds"],
  ["numeric(4,2)", "numeric(3,1)", ["99.95"], "1 value of v does not fit numeric(3,1)"],
  ["numeric", "numeric(2,4)", ["0.00994"], "holds"],
  ["numeric", "numeric(2,4)", ["0.00996", "0.01"], "2 values of v do not fit numeric(2,4)"],
  ["integer", "numeric(3,-2)", ["99949"], "holds"],
  ["integer", "numeric(3,-2)", ["99950", "-2147483648"], "2 values of v do not fit numeric(3,-2)"],
  ["double precision", "real", ["3.4028235677973362e38", "'NaN'", "'Infinity'", "0", "-0.0", "7.1e-46"], "holds"],
  ["double precision", "real", ["3.4028235677973366e38", "-1e300"], "2 values of v do not fit real"],
  ["double precision", "real", ["7.006492321624085e-46", "-1e-300"], "2 values of v do not fit real"],
];

Deno.test("askData() tells which values a narrower type refuses, as ALTER TABLE does", async () => {
  await fixture.setUp("CREATE TABLE public.narrow (v integer)");
  for (const [from, to, values, expected] of TYPES) {
    await fixture.setUp(
      "DROP TABLE public.narrow",
      `CREATE TABLE public.narrow (v ${from})`,
      `INSERT INTO public.narrow VALUES ${values.map((value) => `(${value})`)}`,
    );
    const change = { kind: "ChangeType", column: "v", from, to } as const;
    assertEquals(
      await fixture.answers([change], table("narrow", `v ${from}`)),
      [expected],
      `${from} -> ${to}: ${values}`,
    );
    for (const value of values) {
      await fixture.setUp("TRUNCATE public.narrow", `INSERT INTO public.narrow VALUES (${value})`);
      const [answer] = await fixture.answers([change], table("narrow", `v ${from}`));
      const accepted = await fixture.succeeds(`ALTER TABLE public.narrow ALTER v TYPE ${to}`);
      assertEquals(answer === "holds", accepted, `${from} -> ${to}: ${value}`);
    }
  }
});

Deno.test("askData() counts the rows under a new column; the default of a domain is a value", async () => {
  await fixture.setUp(
    "CREATE DOMAIN public.with_default AS integer DEFAULT 5",
    "CREATE DOMAIN public.without_default AS integer",
    "CREATE TABLE public.few (id integer)",
    "CREATE TABLE public.none (id integer)",
    "INSERT INTO public.few VALUES (1), (2)",
  );
  const add = (type: string, rest: Partial<Column> = {}): SchemaChange => ({
    kind: "AddColumn",
    column: { name: "new", type, notNull: true, ...rest },
  });
  const few = table("few", "id integer");
  assertEquals(await fixture.answers([add("text")], few), ["2 rows would have no value for new"]);
  assertEquals(await fixture.answers([add("text")], table("none", "id integer")), ["holds"]);
  assertEquals(await fixture.answers([add('"public"."with_default"')], few), ["holds"]);
  assertEquals(await fixture.answers([add('"public"."without_default"')], few), ["2 rows would have no value for new"]);
  const same = [add("text", { default: "'x'" }), unique(["new"])];
  assertEquals(await fixture.answers(same, few), ["2 rows would have the same value for new"]);
  await fixture.setUp("DELETE FROM public.few WHERE id = 1");
  assertEquals(await fixture.answers(same, few), ["holds"]);
});

Deno.test("askData() counts no further than 1,000", async () => {
  await fixture.setUp(
    "CREATE TABLE public.many (a integer, b integer)",
    "INSERT INTO public.many SELECT NULL, n / 2 FROM generate_series(1, 3000) n",
  );
  const asked = table("many", "a integer", "b integer");
  const changes: SchemaChange[] = [
    notNull("a"),
    unique(["b"]),
    foreignKey(["b"], "many", ["a"]),
  ];
  assertEquals(await fixture.answers(changes, asked), [
    "more than 1,000 rows have no value for a",
    "more than 1,000 values of b occur more than once",
    "more than 1,000 rows refer to no row of public.many",
  ]);
  await fixture.setUp("DELETE FROM public.many WHERE ctid NOT IN (SELECT ctid FROM public.many LIMIT 1000)");
  assertEquals(await fixture.answers(changes.slice(0, 1), asked), ["1,000 rows have no value for a"]);
});

Deno.test("askData() compares with a foreign key's target only where = means the same, and reads no virtual column", async () => {
  await fixture.setUp(
    "CREATE TYPE public.color AS ENUM ('red', 'blue')",
    "CREATE DOMAIN public.small AS integer CHECK (VALUE < 100)",
    "CREATE TABLE public.colors (c public.color PRIMARY KEY, n integer UNIQUE, t text UNIQUE)",
    "INSERT INTO public.colors VALUES ('red', 1, 'a ')",
    "CREATE TABLE public.things (c public.color, n public.small, t character(5))",
    "INSERT INTO public.things VALUES ('red', 1, 'a'), ('blue', 2, 'b'), (NULL, NULL, NULL)",
  );
  const things = table("things", 'c "public"."color"', 'n "public"."small"', "t character(5)");
  const changes = ["c", "n", "t"].map((column) => foreignKey([column], "colors", [column]));
  const one = "1 row refers to no row of public.colors";
  assertEquals(await fixture.answers(changes, things), [one, one, "unsafe"]);
  const [version] = await fixture.server.asSuperuser("SELECT current_setting('server_version_num')::int AS number");
  if (Number(version?.number) < 180_000) return;
  await fixture.setUp("ALTER TABLE public.things ADD i integer, ADD v integer GENERATED ALWAYS AS (i + 1) VIRTUAL");
  assertEquals(await fixture.answers([notNull("v")], table("things", "v integer")), ["unsafe"]);
});

Deno.test("no value of a row is in any answer", async () => {
  await fixture.setUp(
    "CREATE TABLE public.secrets (a text, b text, n numeric)",
    "INSERT INTO public.secrets VALUES ('hunter2', 'hunter2', 31337), ('hunter2', NULL, NULL)",
  );
  const changes: SchemaChange[] = [
    notNull("b"),
    unique(["a"]),
    foreignKey(["a"], "parents", ["y"]),
    { kind: "ChangeType", column: "a", from: "text", to: "character varying(3)" },
    { kind: "ChangeType", column: "n", from: "numeric", to: "numeric(2,0)" },
  ];
  const given = await fixture.ask(questionsFor(changes, table("secrets", "a text", "b text", "n numeric")));
  assertEquals(given.map((answer) => answer.kind), Array(5).fill("violated"));
  const shown = given.map((answer) => describeAnswer(answer) + JSON.stringify(answer)).join();
  assertEquals(/hunter2|31337/.test(shown), false);
});
