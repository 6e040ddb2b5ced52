import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";

const operator = await startTestOperator("hostile");
const { kubectl } = operator;

const HOSTILE_TYPES: readonly string[] = [
  "int); DROP TABLE witness; --",
  "int -- c",
  "int /* c */",
  "setof int",
  "foo(pg_sleep(1))",
  "numeric(1+1)",
  "int\u0000; drop table witness",
  "int;",
  "integer NOT NULL",
  "a.b.c.d.e",
  "witness%type",
  "",
  "interger",
];

function table(name: string, columns: unknown, more: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: operator.namespace },
    spec: { tableName: name.toUpperCase(), columns, primaryKey: "ID", ...more },
  };
}

async function healthAnswers(): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${operator.httpPort}/healthz`, {
    signal: AbortSignal.timeout(10_000),
  });
  await response.body?.cancel();
  return response.ok;
}

Deno.test("hostile types are field errors, and no statement reaches PostgreSQL", async () => {
  await operator.sql("CREATE TABLE witness (id integer)");
  for (const [index, type] of HOSTILE_TYPES.entries()) {
    const { code, stderr } = await kubectl.apply(table(`hostile${index}`, [{ ID: "integer" }, { BAD: { type } }]));
    assertEquals(code, 1, `${JSON.stringify(type)} was accepted`);
    assertStringIncludes(stderr, "spec.columns[1].BAD");
  }
  assertEquals(await columnsOf(operator, "witness"), ["id integer"]);
});

Deno.test("a type made to hold the parser is refused at once, while /healthz keeps answering", async () => {
  const bombs = [table("bomb", [{ ID: "integer" }, { BAD: "/*".repeat(100_000) }])];
  const [answers, health] = await Promise.all([
    Promise.all(bombs.map((bomb) => kubectl.run(["create", "-f", "-"], JSON.stringify(bomb)))),
    healthAnswers(),
  ]);
  assertEquals(health, true);
  for (const { code, stderr } of answers) {
    assertEquals(code, 1);
    assertStringIncludes(stderr, "spec.columns[1].BAD");
  }
});

Deno.test("an unknown type is named with the nearest valid one, also one that only the server can know", async () => {
  const unknown = await kubectl.apply(table("near", [{ ID: "integer" }, { A: "interger" }, { B: "public.mood" }]));
  assertStringIncludes(unknown.stderr, "did you mean integer?");
  assertStringIncludes(unknown.stderr, "spec.columns[2].B");
});

Deno.test("defaults are literals: what breaks out is a value, what is no value is a field error", async () => {
  const text = `'); DROP TABLE witness; --`;
  const columns = [{ ID: "integer" }, { A: { type: "text", default: text } }, {
    B: { type: "text", default: "\\'); DROP TABLE witness; --" },
  }];
  const good = await kubectl.apply(table("literal", columns));
  assertEquals(good.code, 0, good.stderr);
  await condition(operator, "literal", { type: "Ready", status: "True" });
  await operator.sql("INSERT INTO literal (id) VALUES (1)");
  assertEquals(await operator.sql("SELECT a, b FROM literal"), [{ a: text, b: "\\'); DROP TABLE witness; --" }]);
  const bad = await kubectl.apply(
    table("badliteral", [{ ID: { type: "integer", default: "abc" } }, { B: { type: "timestamptz", default: "now" } }]),
  );
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.stderr, "spec.columns[0].ID.default");
  assertStringIncludes(bad.stderr, "spec.columns[1].B.default");
});

Deno.test("with standard_conforming_strings = off on the database nothing else runs", async () => {
  const { pathname } = new URL(operator.databaseUrl);
  await operator.sql(`ALTER DATABASE ${pathname.slice(1)} SET standard_conforming_strings = off`);
  await operator.restart();
  const attack = `\\' || 'x'); CREATE TABLE pwned(); --`;
  const applied = await kubectl.apply(
    table("backslash", [{ ID: "integer" }, { A: { type: "text", default: attack } }]),
  );
  assertEquals(applied.code, 0, applied.stderr);
  await condition(operator, "backslash", { type: "Ready", status: "True" });
  assertEquals(await columnsOf(operator, "pwned"), []);
  await operator.sql("SET standard_conforming_strings = on");
  await operator.sql("INSERT INTO backslash (id) VALUES (1)");
  assertEquals(await operator.sql("SELECT a FROM backslash"), [{ a: attack }]);
});

Deno.test("hostile names are quoted or refused", async () => {
  const name = `x" (id int); DROP TABLE witness; --`;
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const applied = await kubectl.apply({
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "quoted", namespace: operator.namespace },
    spec: { tableName: quoted, columns: [{ [quoted]: "integer" }], primaryKey: [quoted] },
  });
  assertEquals(applied.code, 0, applied.stderr);
  await condition(operator, "quoted", { type: "Ready", status: "True" });
  assertEquals(await operator.sql(`SELECT relname FROM pg_class WHERE relname LIKE 'x" (id%' AND relkind = 'r'`), [{
    relname: name,
  }]);
  assertEquals(await columnsOf(operator, "witness"), ["id integer"]);
  for (const bad of ["a b", "a;b", "1a", "a.b", "x".repeat(64), "\u202eabc", "a\u0000b"]) {
    const refused = await kubectl.apply(table("badname", [{ ID: "integer" }], { tableName: bad }));
    assertEquals(refused.code, 1, `${JSON.stringify(bad)} was accepted`);
    assertStringIncludes(refused.stderr, "spec.tableName");
  }
  for (const schema of ["pg_catalog", "information_schema", "tablewright", "nowhere"]) {
    const refused = await kubectl.apply(table("badschema", [{ ID: "integer" }], { schema }));
    assertEquals(refused.code, 1, `${schema} was accepted`);
    assertStringIncludes(refused.stderr, "spec.schema");
  }
});

Deno.test("an unknown field is denied, never ignored", async () => {
  const { code, stderr } = await kubectl.run(
    ["create", "--validate=false", "-f", "-"],
    JSON.stringify(table("unknown", [{ ID: { type: "integer", unique: true } }])),
  );
  assertEquals(code, 1);
  assertStringIncludes(stderr, "spec.columns[0].ID.unique");
});

Deno.test("Database: a missing, unknown or changed type is denied through the same registry of kinds", async () => {
  const database = (name: string, spec: unknown) => ({
    apiVersion: "zalando.org/v1",
    kind: "Database",
    metadata: { name, namespace: operator.namespace },
    spec,
  });
  assertEquals((await kubectl.run(["apply", "-f", "manifests/samples/mongo-db.yaml"])).code, 0);
  assertEquals((await kubectl.run(["apply", "-f", "manifests/samples/mysql-db.yaml"])).code, 0);
  assertStringIncludes((await kubectl.apply(database("none", {}))).stderr, "must be one of mongo, mysql, postgres");
  assertStringIncludes((await kubectl.apply(database("odd", { type: "oracle" }))).stderr, '"oracle" is not one of');
  assertStringIncludes(
    (await kubectl.apply(database("mongo-db", { type: "mysql" }))).stderr,
    'spec.type: is immutable: it is "mongo"',
  );
});

Deno.test("the operator stops in order", () => operator.close());
