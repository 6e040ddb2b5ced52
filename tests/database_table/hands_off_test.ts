import { assertEquals, assertStringIncludes } from "@std/assert";
import { operatorWrites } from "../harness/audit_log.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("hands-off");
const { kubectl, namespace, testbed } = operator;
const objects = new TableObjects(operator);
const NOTE = { columns: [{ ID: "integer" }, { NOTE: "text" }] };

async function noteOf(name: string, reason: string): Promise<string> {
  return await eventually(`${name} has an event ${reason}`, async () => {
    const list = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"])) as {
      items: { regarding: { name: string }; reason: string; note: string }[];
    };
    return list.items.find((event) => event.regarding.name === name && event.reason === reason)?.note;
  });
}

/** The statements of `status.plan`. */
async function planOf(name: string): Promise<readonly string[]> {
  const object = await kubectl.get("databasetable", name) as { status?: { plan?: { statements: { sql: string }[] } } };
  return (object.status?.plan?.statements ?? []).map(({ sql }) => sql);
}

Deno.test("suspend: nothing is made, the condition says so, and admission warns", async () => {
  const shown = await objects.accepted("later", { suspend: true });
  assertStringIncludes(shown, "spec.suspend is true: nothing is changed in the database");
  const ready = await condition(operator, "later", { type: "Ready", status: "Unknown", reason: "Suspended" });
  assertStringIncludes(String(ready["message"]), "neither looked at nor changed");
  assertEquals(await columnsOf(operator, "later"), []);
  await objects.applied("later", { suspend: false });
  assertEquals(await columnsOf(operator, "later"), ["id integer not null"]);
});

Deno.test("suspend: a table that is there keeps what its spec no longer says until suspend goes", async () => {
  await objects.applied("paused", NOTE);
  await objects.accepted("paused", { ...NOTE, columns: [...NOTE.columns, { MORE: "text" }], suspend: true });
  await condition(operator, "paused", { type: "Ready", status: "Unknown", reason: "Suspended" });
  assertEquals(await columnsOf(operator, "paused"), ["id integer not null", "note text"]);
  await objects.applied("paused", { ...NOTE, columns: [...NOTE.columns, { MORE: "text" }] });
  assertEquals(await columnsOf(operator, "paused"), ["id integer not null", "note text", "more text"]);
});

Deno.test("suspend: deleting the object keeps the table, and an object of its name takes it back", async () => {
  await objects.applied("kept", NOTE);
  await operator.sql("INSERT INTO kept VALUES (1, 'one')");
  await objects.accepted("kept", { ...NOTE, suspend: true });
  await kubectl.ok(["delete", "databasetable", "kept", "--timeout=30s"]);
  assertEquals(await noteOf("kept", "TableKept"), "the table is kept: spec.suspend is true");
  await objects.applied("kept", NOTE);
  assertEquals(await operator.sql("SELECT * FROM kept"), [{ id: 1, note: "one" }]);
});

Deno.test("mode: Observe says what Apply would run, and changes nothing", async () => {
  const shown = await objects.accepted("seen", { ...NOTE, mode: "Observe" });
  assertStringIncludes(shown, "spec.mode is Observe: the plan is only reported");
  const ready = await condition(operator, "seen", { type: "Ready", status: "False", reason: "Observed" });
  assertStringIncludes(String(ready["message"]), 'CREATE TABLE "public"."seen"');
  assertEquals(await planOf("seen"), [
    'CREATE TABLE "public"."seen" ("id" integer, "note" text, PRIMARY KEY ("id"))',
  ]);
  assertEquals(await columnsOf(operator, "seen"), []);
  assertEquals(await operator.sql("SELECT FROM tablewright.owned_table WHERE table_name = 'seen'"), []);
  assertEquals(await operatorWrites(testbed, { namespace, name: "seen" }), [
    { verb: "patch", subresource: "status", code: 200 },
  ]);
  await kubectl.ok(["delete", "databasetable", "seen", "--timeout=30s"]);
});

Deno.test("mode: Observe of a table that was made before reports, and deleting the object keeps it", async () => {
  await objects.applied("watched", NOTE);
  await objects.accepted("watched", { ...NOTE, mode: "Observe" });
  const ready = await condition(operator, "watched", { type: "Ready", status: "True", reason: "Observed" });
  assertStringIncludes(String(ready["message"]), "table public.watched is as the spec says");
  assertEquals(await planOf("watched"), []);
  await objects.accepted("watched", { columns: [...NOTE.columns, { MORE: "text" }], mode: "Observe" });
  const plan = await condition(operator, "watched", { type: "Ready", status: "False", reason: "Observed" });
  assertStringIncludes(String(plan["message"]), 'ADD COLUMN "more" text');
  assertEquals(await columnsOf(operator, "watched"), ["id integer not null", "note text"]);
  await kubectl.ok(["delete", "databasetable", "watched", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "watched"), ["id integer not null", "note text"]);
  assertEquals(await noteOf("watched", "TableKept"), "the table is kept: spec.mode is Observe");
});

Deno.test("mode: Observe names what stands in the way, as Apply would", async () => {
  await operator.sql("CREATE TABLE strange (id integer PRIMARY KEY)");
  const [reason] = await objects.denied("strange", { mode: "Observe" });
  assertStringIncludes(reason ?? "", "exists and was not made by this operator");
});

Deno.test("the operator stops in order", () => operator.close());
