import { assertEquals, assertStringIncludes } from "@std/assert";
import { operatorWrites } from "../harness/audit_log.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";

const operator = await startTestOperator("no-drift");
const { kubectl, namespace, testbed } = operator;

interface Stored {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string; readonly finalizers?: string[] };
  readonly spec: { readonly deletionPolicy?: string };
  readonly status: { readonly observedGeneration?: number };
}

function table(name: string, more: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace },
    spec: {
      tableName: name.toUpperCase().replaceAll("-", "_"),
      columns: [{ ID: "integer" }, { NOTE: "text" }],
      primaryKey: "ID",
      ...more,
    },
  };
}

async function read(name: string): Promise<Stored> {
  return await kubectl.get("databasetable", name) as unknown as Stored;
}

async function ready(name: string): Promise<Stored> {
  await condition(operator, name, { type: "Ready", status: "True" });
  return await read(name);
}

/** Everything that was enqueued before has been worked on when a later object is ready, and so is the echo of its status. */
async function settle(): Promise<void> {
  for (const name of ["settled-first", "settled-second"]) {
    await kubectl.apply(table(name));
    await ready(name);
    await kubectl.ok(["delete", "databasetable", name]);
  }
}

async function assertGuarded(name: string, generation: number): Promise<void> {
  const { metadata, spec } = await read(name);
  assertEquals(metadata.finalizers, ["kopf.demo/tablewright"]);
  assertEquals(spec.deletionPolicy, "Delete");
  assertEquals(metadata.generation, generation);
}

Deno.test("a healthy create costs one write, the status, and nothing is written afterwards", async () => {
  assertStringIncludes((await kubectl.apply(table("healthy"))).stdout, "created");
  const { metadata } = await ready("healthy");
  await settle();
  const writes = await operatorWrites(testbed, { namespace, name: "healthy" });
  assertEquals(writes, [{ verb: "patch", subresource: "status", code: 200 }]);
  assertEquals((await read("healthy")).metadata.resourceVersion, metadata.resourceVersion);
});

Deno.test("a restart writes nothing to an object that is as it should be", async () => {
  const before = await read("healthy");
  await operator.restart();
  await settle();
  assertEquals((await operatorWrites(testbed, { namespace, name: "healthy" })).length, 1);
  assertEquals((await read("healthy")).metadata.resourceVersion, before.metadata.resourceVersion);
});

Deno.test("a changed spec costs one write, an annotation none", async () => {
  const name = "changed";
  await kubectl.apply(table(name));
  await ready(name);
  await kubectl.apply(table(name, { columns: [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }] }));
  await ready(name);
  assertEquals((await operatorWrites(testbed, { namespace, name })).length, 2);
  await kubectl.ok(["annotate", "databasetable", name, "example.com/note=hello"]);
  await settle();
  assertEquals((await operatorWrites(testbed, { namespace, name })).length, 2);
});

Deno.test("kubectl apply again, diff and a dry-run find nothing to change", async () => {
  const before = await read("healthy");
  const again = await kubectl.apply(table("healthy"));
  assertEquals([again.code, again.stdout], [0, "databasetable.kopf.demo/healthy unchanged\n"]);
  const diff = await kubectl.run(["diff", "-f", "-"], JSON.stringify(table("healthy")));
  assertEquals(diff, { code: 0, stdout: "", stderr: "" });
  const dry = await kubectl.apply(table("healthy"), "--dry-run=server");
  assertEquals([dry.code, dry.stdout], [0, "databasetable.kopf.demo/healthy unchanged (server dry run)\n"]);
  assertEquals(await read("healthy"), before);
});

Deno.test("kubectl replace, which drops what its file does not name, loses neither finalizer nor policy", async () => {
  await kubectl.ok(["replace", "-f", "-"], JSON.stringify(table("healthy")));
  await assertGuarded("healthy", 1);
  await settle();
  assertEquals((await operatorWrites(testbed, { namespace, name: "healthy" })).length, 1);
});

Deno.test("kubectl replace --force drops the table and makes it again", async () => {
  await kubectl.apply(table("forced"));
  await ready("forced");
  await operator.sql("INSERT INTO forced VALUES (1, 'one')");
  await kubectl.ok(["replace", "--force", "-f", "-"], JSON.stringify(table("forced")));
  await ready("forced");
  assertEquals(await operator.sql("SELECT * FROM forced"), []);
});

Deno.test("server-side apply, also of an object that client-side apply made, finds nothing to change when it comes again", async () => {
  await kubectl.apply(table("moved"));
  await ready("moved");
  for (const name of ["moved", "by-server"]) {
    const manifest = JSON.stringify(table(name));
    await kubectl.ok(["apply", "--server-side", "-f", "-"], manifest);
    const before = await ready(name);
    await kubectl.ok(["apply", "--server-side", "-f", "-"], manifest);
    const diff = await kubectl.run(["diff", "--server-side", "-f", "-"], manifest);
    assertEquals(diff, { code: 0, stdout: "", stderr: "" });
    await assertGuarded(name, 1);
    await settle();
    assertEquals((await read(name)).metadata.resourceVersion, before.metadata.resourceVersion);
    assertEquals((await operatorWrites(testbed, { namespace, name })).length, 1);
  }
});

Deno.test("an object that moved to server-side apply is changed without a conflict, and dropped as before", async () => {
  const columns = [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }];
  await kubectl.ok(["apply", "--server-side", "-f", "-"], JSON.stringify(table("moved", { columns })));
  await ready("moved");
  await assertGuarded("moved", 2);
  assertEquals(await columnsOf(operator, "moved"), ["id integer not null", "note text", "more text"]);
  await kubectl.ok(["delete", "databasetable", "moved"]);
  assertEquals(await columnsOf(operator, "moved"), []);
});

Deno.test("a dry-run of a new object stores nothing, writes nothing and makes no table", async () => {
  for (const flags of [["--dry-run=server"], ["--dry-run=server", "--server-side"]]) {
    const { code, stderr } = await kubectl.apply(table("only-dry"), ...flags);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `CREATE TABLE "public"."only_dry"`);
  }
  assertEquals(await kubectl.get("databasetable", "only-dry"), undefined);
  assertEquals(await columnsOf(operator, "only_dry"), []);
  assertEquals(await operatorWrites(testbed, { namespace, name: "only-dry" }), []);
});

Deno.test("the operator stops in order", () => operator.close());
