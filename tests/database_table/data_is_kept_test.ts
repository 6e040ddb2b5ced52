import { assertEquals, assertStringIncludes } from "@std/assert";
import { Kubectl } from "../harness/kubectl.ts";
import { deleteNamespace } from "../harness/namespace_end.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { startTestbed } from "../harness/testbed.ts";
import { eventually } from "../harness/wait.ts";

const CRD = "customresourcedefinition/databasetables.kopf.demo";
const NAMESPACE = "kept";
/** Watched too, so that the operator makes them; deleted, one while it is up, one while it is down. */
const DOOMED = "doomed";
const ABANDONED = "abandoned";

const testbed = await startTestbed();
const operator = await startTestOperator(NAMESPACE, {
  testbed,
  flags: ["-n", DOOMED, "-n", ABANDONED],
  // What is done by hand here is met by a look at the object, never by a sweep that comes first.
  config: { sweepIntervalMs: 3_600_000 },
});
const { kubectl } = operator;
const doomed = new Kubectl(testbed, DOOMED);
const abandoned = new Kubectl(testbed, ABANDONED);

function table(name: string, more: Record<string, unknown> = {}, namespace = NAMESPACE): unknown {
  const spec = { tableName: name.replaceAll("-", "_"), columns: [{ ID: "integer" }], primaryKey: "ID", ...more };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name, namespace }, spec };
}

async function applied(name: string, more: Record<string, unknown> = {}): Promise<void> {
  const { code, stderr } = await kubectl.apply(table(name, more));
  assertEquals(code, 0, stderr);
  await condition(operator, name, { type: "Ready", status: "True" });
}

async function fill(name: string): Promise<void> {
  await operator.sql(`INSERT INTO ${name} VALUES (42)`);
}

async function rowsOf(name: string): Promise<readonly unknown[]> {
  return (await operator.sql(`SELECT id FROM ${name}`)).map((row) => row["id"]);
}

/** The loop looks at an object when something happens to it. */
async function touch(name: string): Promise<void> {
  await kubectl.ok(["annotate", "--overwrite", "databasetable", name, `example.com/touched=${crypto.randomUUID()}`]);
}

async function eventOf(name: string, reason: string): Promise<string> {
  return await eventually(`an event ${reason} of ${name}`, async () => {
    const { items } = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"])) as {
      items: { reason: string; note: string; regarding: { name: string } }[];
    };
    return items.find((item) => item.regarding.name === name && item.reason === reason)?.note;
  });
}

async function crdUid(): Promise<string> {
  const { code, stdout } = await kubectl.run(["get", CRD, "-o", "jsonpath={.metadata.uid}"]);
  return code === 0 ? stdout : "";
}

const POLICIES: Readonly<Record<string, Record<string, unknown>>> = {
  plain: {},
  explicit: { deletionPolicy: "Delete" },
  forbidden: { deletionPolicy: "Forbid" },
};

async function applyPolicies(): Promise<void> {
  for (const [name, policy] of Object.entries(POLICIES)) await applied(name, policy);
}

async function assertRowsKept(): Promise<void> {
  for (const name of Object.keys(POLICIES)) assertEquals(await rowsOf(name), [42], name);
}

Deno.test("deleting the kind keeps every table, whatever its policy, and events say so", async () => {
  await applyPolicies();
  for (const name of Object.keys(POLICIES)) await fill(name);
  await kubectl.ok(["delete", CRD, "--timeout=120s"]);
  assertEquals(await crdUid(), "");
  await assertRowsKept();
  for (const name of ["plain", "explicit"]) {
    assertStringIncludes(await eventOf(name, "TableKept"), "the CustomResourceDefinition is being deleted");
  }
  assertStringIncludes(await eventOf("forbidden", "TableKept"), "deletionPolicy is Forbid");
});

Deno.test("when the kind is back, objects of the same names take their tables back", async () => {
  await operator.restart();
  await applyPolicies();
  await assertRowsKept();
  assertEquals(await operator.sql("SELECT count(*)::int AS rows FROM tablewright.history"), [{ rows: 3 }]);
});

Deno.test("an operator that starts while the kind is being deleted keeps every table, and installs the kind again", async () => {
  const before = await crdUid();
  await operator.stopOperator();
  await kubectl.ok(["delete", CRD, "--wait=false"]);
  await kubectl.ok(["wait", "--for=condition=Terminating", CRD, "--timeout=30s"]);
  await operator.startOperator();
  await eventually("another CRD of that name", async () => ![before, ""].includes(await crdUid()) || undefined);
  await assertRowsKept();
  await operator.restart();
  assertEquals(JSON.parse(await kubectl.ok(["get", "databasetables", "-o", "json"])).items, []);
  await applyPolicies();
  await assertRowsKept();
});

Deno.test("Forbid refuses the deletion while the operator is up, and while it is down", async () => {
  const up = await kubectl.run(["delete", "databasetable", "forbidden"]);
  assertEquals(up.code, 1);
  assertStringIncludes(up.stderr, "spec.deletionPolicy");
  await operator.stopOperator();
  const down = await kubectl.run(["delete", "databasetable", "forbidden"]);
  assertEquals(down.code, 1);
  assertStringIncludes(down.stderr, "spec.deletionPolicy is Forbid: set it to Delete (drops the table) or Retain");
  await operator.startOperator();
  assertEquals(await rowsOf("forbidden"), [42]);
});

Deno.test("deleting all objects at once drops what may be dropped and refuses the rest", async () => {
  await applied("many-a");
  await applied("many-b");
  const { code, stderr } = await kubectl.run(["delete", "databasetables", "--all", "--timeout=30s"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "spec.deletionPolicy");
  // After a refusal kubectl waits for none of the others.
  for (const name of ["plain", "explicit", "many_a", "many_b"]) {
    await eventually(`${name} is dropped`, async () => (await columnsOf(operator, name)).length === 0 || undefined);
  }
  assertEquals(await rowsOf("forbidden"), [42]);
});

Deno.test("deletecollection, whose reviews name no object, obeys each object's policy", async () => {
  const collection = `/apis/kopf.demo/v1/namespaces/${NAMESPACE}/databasetables`;
  await applied("plain");
  const refused = await kubectl.run(["delete", "--raw", collection]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "spec.deletionPolicy");
  assertEquals(await rowsOf("forbidden"), [42]);
  await applied("forbidden", { deletionPolicy: "Delete" });
  await applied("kept", { deletionPolicy: "Retain" });
  await kubectl.ok(["delete", "--raw", collection]);
  await kubectl.ok(["wait", "--for=delete", "databasetables", "--all", "--timeout=30s"]);
  for (const name of ["plain", "forbidden"]) assertEquals(await columnsOf(operator, name), [], name);
  assertEquals(await columnsOf(operator, "kept"), ["id integer not null"]);
});

Deno.test("a namespace that is deleted is never blocked: Forbid keeps its table, Delete drops it", async () => {
  const policies = { "doomed-delete": "Delete", "doomed-forbid": "Forbid", "doomed-retain": "Retain" };
  for (const [name, deletionPolicy] of Object.entries(policies)) {
    const manifest = JSON.stringify(table(name, { deletionPolicy }, DOOMED));
    await doomed.ok(["apply", "-f", "-"], manifest);
    await doomed.ok(["wait", "--for=condition=Ready", `databasetable/${name}`, "--timeout=30s"]);
  }
  await fill("doomed_forbid");
  assertEquals((await doomed.run(["delete", "databasetable", "doomed-forbid"])).code, 1);
  await deleteNamespace(doomed, DOOMED);
  assertEquals(await columnsOf(operator, "doomed_delete"), []);
  assertEquals(await rowsOf("doomed_forbid"), [42]);
  assertEquals(await columnsOf(operator, "doomed_retain"), ["id integer not null"]);
});

Deno.test("a namespace that is deleted while the operator is down waits for it, and Forbid keeps its table", async () => {
  const manifest = table("abandoned-forbid", { deletionPolicy: "Forbid" }, ABANDONED);
  await abandoned.ok(["apply", "-f", "-"], JSON.stringify(manifest));
  await abandoned.ok(["wait", "--for=condition=Ready", "databasetable/abandoned-forbid", "--timeout=30s"]);
  await fill("abandoned_forbid");
  await operator.stopOperator();
  await abandoned.ok(["delete", "namespace", ABANDONED, "--wait=false"]);
  await operator.startOperator();
  await abandoned.ok(["wait", "--for=delete", "databasetable/abandoned-forbid", "--timeout=30s"]);
  assertEquals(await rowsOf("abandoned_forbid"), [42]);
});

Deno.test("a table that somebody renamed by hand gets its name back, with its rows", async () => {
  await applied("renamed");
  await fill("renamed");
  await operator.sql("ALTER TABLE renamed RENAME TO by_hand");
  await touch("renamed");
  await eventually("the name is back", async () => (await columnsOf(operator, "renamed")).length > 0 || undefined);
  assertEquals(await rowsOf("renamed"), [42]);
  assertEquals(await columnsOf(operator, "by_hand"), []);
  await condition(operator, "renamed", { type: "Ready", status: "True" });
});

Deno.test("a table that somebody renamed by hand is not dropped with its object", async () => {
  await applied("lost");
  await fill("lost");
  await operator.sql("ALTER TABLE lost RENAME TO found");
  await kubectl.ok(["delete", "databasetable", "lost", "--timeout=30s"]);
  assertEquals(await rowsOf("found"), [42]);
  assertStringIncludes(await eventOf("lost", "NothingDropped"), "was renamed by hand to public.found");
});

Deno.test("a table that somebody dropped by hand is made again", async () => {
  await applied("dropped");
  await operator.sql("DROP TABLE dropped");
  await touch("dropped");
  await eventually("the table is back", async () => (await columnsOf(operator, "dropped")).length > 0 || undefined);
  await condition(operator, "dropped", { type: "Ready", status: "True" });
  await kubectl.ok(["delete", "databasetable", "dropped", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "dropped"), []);
});

Deno.test("an object whose table was dropped by hand can be deleted", async () => {
  await applied("nothing");
  await operator.sql("DROP TABLE nothing");
  await kubectl.ok(["delete", "databasetable", "nothing", "--timeout=30s"]);
  assertStringIncludes(await eventOf("nothing", "NothingDropped"), "table public.nothing is not there any more");
});

Deno.test("a stranger's table in the place of ours is a conflict, is never altered and never dropped", async () => {
  await applied("replaced");
  await operator.sql("DROP TABLE replaced");
  await operator.sql("CREATE TABLE replaced (id integer PRIMARY KEY, theirs text)");
  await operator.sql("INSERT INTO replaced VALUES (1, 'precious')");
  await touch("replaced");
  const ready = await condition(operator, "replaced", { type: "Ready", status: "False", reason: "OwnershipConflict" });
  assertStringIncludes(String(ready["message"]), `table "replaced" exists and was not made by this operator`);
  await condition(operator, "replaced", { type: "OwnershipConflict", status: "True" });
  await kubectl.ok(["delete", "databasetable", "replaced", "--timeout=30s"]);
  assertEquals(await operator.sql("SELECT id, theirs FROM replaced"), [{ id: 1, theirs: "precious" }]);
});

Deno.test("a conflict ends when the stranger's table goes", async () => {
  await applied("occupied");
  await operator.sql("DROP TABLE occupied");
  await operator.sql("CREATE VIEW occupied AS SELECT 1 AS id");
  await touch("occupied");
  const ready = await condition(operator, "occupied", { type: "Ready", status: "False", reason: "OwnershipConflict" });
  assertStringIncludes(String(ready["message"]), `"occupied" is the name of a view`);
  await operator.sql("DROP VIEW occupied");
  await touch("occupied");
  await condition(operator, "occupied", { type: "Ready", status: "True" });
  const object = await kubectl.get("databasetable", "occupied") as { status: { conditions: { type: string }[] } };
  assertEquals(object.status.conditions.map(({ type }) => type).toSorted(), ["DatabaseReachable", "Ready"]);
});

Deno.test("the operator stops in order", () => operator.close());
