import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { TableObjects } from "../harness/table_objects.ts";

const operator = await startTestOperator("take-over");
const { kubectl } = operator;
const objects = new TableObjects(operator);
const ANNOTATION = "kopf.demo/take-over";
const GONE = "11111111-2222-4333-8444-555555555555";

/** A table of an object of a cluster that is gone, with a row in it. */
async function leftBehind(name: string): Promise<void> {
  await objects.applied(name, { deletionPolicy: "Retain" });
  await operator.sql(`INSERT INTO ${name} VALUES (7)`);
  await kubectl.ok(["delete", "databasetable", name]);
  const row = `cluster_id = '${GONE}', uid = gen_random_uuid()`;
  await operator.sql(`UPDATE tablewright.owned_table SET ${row} WHERE table_name = '${name}'`);
}

function annotated(name: string, cluster: string): unknown {
  const manifest = objects.manifest(name, {}) as { metadata: Record<string, unknown> };
  return { ...manifest, metadata: { ...manifest.metadata, annotations: { [ANNOTATION]: cluster } } };
}

Deno.test("a table of another cluster is taken over only by the id of that cluster, and by who may adopt", async () => {
  await leftBehind("moved");
  const words = `belongs to DatabaseTable take-over/moved of another cluster: choose another name, ` +
    `or set the annotation ${ANNOTATION}: ${GONE} if that cluster is gone`;
  assertStringIncludes((await objects.denied("moved", {})).join(), words);
  assertStringIncludes((await kubectl.apply(annotated("moved", "another"))).stderr, words);
  const rights = ["--verb=create,get,patch,update", "--resource=databasetables.kopf.demo"];
  await kubectl.ok(["create", "clusterrole", "take-over-author", ...rights]);
  await kubectl.ok(["create", "rolebinding", "take-over-author", "--clusterrole=take-over-author", "--user=joe"]);
  await kubectl.granted("joe", "patch", "databasetables.kopf.demo");
  const right = annotated("moved", GONE);
  assertStringIncludes((await kubectl.apply(right, "--as", "joe")).stderr, "needs the RBAC verb adopt");
  const { code, stderr } = await kubectl.apply(right);
  assertEquals(code, 0, stderr);
  await condition(operator, "moved", { type: "Ready", status: "True" });
  assertEquals(await operator.sql("SELECT * FROM moved"), [{ id: 7 }]);
  const [row] = await operator.sql("SELECT cluster_id FROM tablewright.owned_table WHERE table_name = 'moved'");
  assertEquals(row?.["cluster_id"] === GONE, false);
  await kubectl.ok(["delete", "databasetable", "moved"]);
  assertEquals(await columnsOf(operator, "moved"), []);
});

Deno.test("the loop alone waits for the annotation, too", async () => {
  await leftBehind("alone");
  await operator.restart(["--webhooks=off"]);
  await objects.accepted("alone", {});
  assertStringIncludes(
    await objects.message("alone", "OwnershipConflict"),
    `set the annotation ${ANNOTATION}: ${GONE}`,
  );
  await kubectl.ok(["annotate", "databasetable", "alone", `${ANNOTATION}=${GONE}`]);
  await objects.ready("alone");
  assertEquals(await operator.sql("SELECT * FROM alone"), [{ id: 7 }]);
});

Deno.test("the operator stops", async () => {
  await operator.close();
});
