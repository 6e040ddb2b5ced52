import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("tables");
const { kubectl } = operator;

function table(name: string, spec: Record<string, unknown>): unknown {
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name, namespace: operator.namespace }, spec };
}

async function applied(name: string, spec: Record<string, unknown>): Promise<string> {
  const { code, stderr } = await kubectl.apply(table(name, spec));
  assertEquals(code, 0, stderr);
  await condition(operator, name, { type: "Ready", status: "True" });
  return stderr;
}

Deno.test("the sample of the README becomes a table, and its plan is shown as a warning", async () => {
  const { code, stderr } = await kubectl.run(["apply", "-f", "manifests/samples/website-users.yaml"]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    `Warning: CREATE TABLE "public"."website_users" ("user_id" integer, "user_name" character varying(50),`,
  );
  await kubectl.ok(["wait", "--for=condition=Ready", "databasetable/website-users", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "website_users"), [
    "user_id integer not null",
    "user_name character varying(50)",
    "user_email character varying(100)",
    "signup_date date",
    "last_login timestamp without time zone",
  ]);
});

Deno.test("a new column, a new table name and a new primary key alter the table and keep its rows", async () => {
  const spec = { tableName: "PEOPLE", columns: [{ ID: "integer" }, { NAME: "text" }], primaryKey: "ID" };
  await applied("people", spec);
  await operator.sql("INSERT INTO people VALUES (1, 'one'), (2, 'two')");
  const columns = [...spec.columns, { AGE: { type: "integer", notNull: true, default: 7 } }];
  const shown = await applied("people", { ...spec, columns });
  assertStringIncludes(shown, `Warning: ALTER TABLE "public"."people" ADD COLUMN "age" integer NOT NULL DEFAULT 7`);
  assertStringIncludes(shown, `"age" integer NOT NULL DEFAULT 7 -- ACCESS EXCLUSIVE lock, no rewrite`);
  assertStringIncludes(shown, "-- public.people has an unknown number of rows");
  await applied("people", { ...spec, columns, tableName: "HUMANS" });
  assertEquals(await operator.sql("SELECT id, name, age FROM humans ORDER BY id"), [
    { id: 1, name: "one", age: 7 },
    { id: 2, name: "two", age: 7 },
  ]);
  await applied("people", { ...spec, columns, tableName: "HUMANS", primaryKey: ["NAME", "ID"] });
  assertEquals(await columnsOf(operator, "humans"), [
    "id integer not null",
    "name text not null",
    "age integer not null default 7",
  ]);
  await applied("people", { ...spec, columns, tableName: "HUMANS", primaryKey: "NAME" });
  assertEquals(await columnsOf(operator, "humans"), [
    "id integer",
    "name text not null",
    "age integer not null default 7",
  ]);
});

Deno.test("removing a column, changing a type and other faults are refused at kubectl apply, all at once", async () => {
  const spec = { tableName: "GUARDED", columns: [{ ID: "integer" }, { NOTE: "text" }], primaryKey: "ID" };
  await applied("guarded", spec);
  const bad = table("guarded", { ...spec, columns: [{ ID: "bigint" }, { EXTRA: "int -- c" }] });
  for (const flags of [[], ["--dry-run=server"]]) {
    const { code, stderr } = await kubectl.apply(bad, ...flags);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `The DatabaseTable "guarded" is invalid:`);
    assertStringIncludes(stderr, `* spec.columns: removing column "note" (text) would drop its data: put it back`);
    assertStringIncludes(
      stderr,
      `* spec.columns[0].ID: column "id" cannot change from integer to bigint: keep integer`,
    );
    assertStringIncludes(stderr, `* spec.columns[1].EXTRA: The type 'int -- c' must not hold a comment`);
  }
  assertEquals(await columnsOf(operator, "guarded"), ["id integer not null", "note text"]);
});

Deno.test("a dry-run shows the plan and changes nothing", async () => {
  const { code, stderr } = await kubectl.apply(
    table("dry", { tableName: "DRY", columns: [{ ID: "integer" }], primaryKey: "ID" }),
    "--dry-run=server",
  );
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `CREATE TABLE "public"."dry"`);
  assertEquals(await kubectl.get("databasetable", "dry"), undefined);
  assertEquals(await columnsOf(operator, "dry"), []);
});

Deno.test("deleting the object drops the table; Retain keeps it, and the same object takes it back", async () => {
  const spec = { tableName: "GONE", columns: [{ ID: "integer" }], primaryKey: "ID" };
  await applied("gone", spec);
  await kubectl.ok(["delete", "databasetable", "gone"]);
  assertEquals(await columnsOf(operator, "gone"), []);

  await applied("kept", { ...spec, tableName: "KEPT", deletionPolicy: "Retain" });
  await operator.sql("INSERT INTO kept VALUES (42)");
  await kubectl.ok(["delete", "databasetable", "kept"]);
  assertEquals(await operator.sql("SELECT id FROM kept"), [{ id: 42 }]);
  await applied("kept", { ...spec, tableName: "KEPT" });
  assertEquals(await operator.sql("SELECT id FROM kept"), [{ id: 42 }]);
  await kubectl.ok(["delete", "databasetable", "kept"]);
  assertEquals(await columnsOf(operator, "kept"), []);
});

Deno.test("a table that nobody here made is never taken and never dropped", async () => {
  await operator.sql("CREATE TABLE strangers (id integer PRIMARY KEY)");
  const manifest = table("strangers", { tableName: "STRANGERS", columns: [{ ID: "integer" }], primaryKey: "ID" });
  const { code, stderr } = await kubectl.apply(manifest);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `table "strangers" exists and was not made by this operator`);
  assertEquals(await columnsOf(operator, "strangers"), ["id integer not null"]);
});

Deno.test("two objects cannot claim one table, however its name is spelled", async () => {
  await applied("first", { tableName: "SHARED", columns: [{ ID: "integer" }], primaryKey: "ID" });
  const { code, stderr } = await kubectl.apply(
    table("second", { tableName: "shared", columns: [{ ID: "integer" }], primaryKey: "ID" }),
  );
  assertEquals(code, 1);
  assertStringIncludes(stderr, `table "shared" belongs to DatabaseTable tables/first: choose another name`);
});

Deno.test("what somebody added by hand is kept and never planned", async () => {
  const spec = { tableName: "MIXED", columns: [{ ID: "integer" }], primaryKey: "ID" };
  await applied("mixed", spec);
  await operator.sql("ALTER TABLE mixed ADD COLUMN by_hand text, ADD CONSTRAINT hand_check CHECK (id > 0)");
  const shown = await applied("mixed", { ...spec, columns: [{ ID: "integer" }, { MORE: "text" }] });
  assertEquals(shown.includes("by_hand"), false);
  assertEquals(await columnsOf(operator, "mixed"), ["id integer not null", "by_hand text", "more text"]);
  const constraints = await operator.sql(
    "SELECT conname FROM pg_constraint WHERE conrelid = 'mixed'::regclass AND contype = 'c'",
  );
  assertEquals(constraints, [{ conname: "hand_check" }]);
  const rows = await operator.sql(
    "SELECT members->'column' AS columns FROM tablewright.owned_table WHERE table_name = 'mixed'",
  );
  assertEquals(rows, [{ columns: ["id", "more"] }]);
});

Deno.test("a restart changes nothing and writes nothing", async () => {
  const before = await kubectl.get("databasetable", "website-users") as { metadata: { resourceVersion: string } };
  await operator.restart();
  await eventually("the operator is ready", async () => {
    const response = await fetch(`http://127.0.0.1:${operator.httpPort}/readyz`);
    await response.body?.cancel();
    return response.ok ? true : undefined;
  });
  await applied("after-restart", { tableName: "AFTER_RESTART", columns: [{ ID: "integer" }], primaryKey: "ID" });
  const after = await kubectl.get("databasetable", "website-users") as { metadata: { resourceVersion: string } };
  assertEquals(after.metadata.resourceVersion, before.metadata.resourceVersion);
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});
