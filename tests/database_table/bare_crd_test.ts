import { assertEquals, assertStringIncludes } from "@std/assert";
import { operatorWrites } from "../harness/audit_log.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { ReviewCounter, type ReviewCounts } from "../harness/review_counts.ts";
import { startTestbed } from "../harness/testbed.ts";

/** The CRDs that users of the tutorials have: no status subresource, no schema, every field kept. */
const BARE_CRDS = "tests/compat/bare-crds.yaml";

const testbed = await startTestbed();
const administrator = new Kubectl(testbed, "default");
await administrator.ok(["apply", "-f", BARE_CRDS]);
await administrator.ok(["wait", "--for=condition=Established", "crd/databasetables.kopf.demo", "--timeout=30s"]);
const operator = await startTestOperator("bare", { testbed, flags: ["--no-crds"] });
const { kubectl, namespace } = operator;

interface Stored {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly unknown[] };
}

function manifest(name: string, spec: unknown): string {
  const apiVersion = "kopf.demo/v1";
  return JSON.stringify({ apiVersion, kind: "DatabaseTable", metadata: { name, namespace }, spec });
}

function table(name: string, columns: readonly unknown[] = [{ ID: "integer" }]): string {
  return manifest(name, { tableName: name.replaceAll("-", "_"), columns, primaryKey: "ID" });
}

async function applied(name: string, text: string): Promise<string> {
  const { code, stderr } = await kubectl.run(["apply", "-f", "-"], text);
  assertEquals(code, 0, stderr);
  await condition(operator, name, { type: "Ready", status: "True" });
  return stderr;
}

async function read(name: string): Promise<Stored> {
  return await kubectl.get("databasetable", name) as unknown as Stored;
}

/** Whatever the writes before would have caused is done when two later objects have come and gone. */
async function settle(): Promise<void> {
  for (const name of ["settled-first", "settled-second"]) {
    await applied(name, table(name));
    await kubectl.ok(["delete", "databasetable", name]);
  }
}

/** The status speaks of the object as it is, and nobody writes any more. */
async function assertAtRest(name: string, writes: number): Promise<Stored> {
  const before = await read(name);
  await settle();
  const after = await read(name);
  assertEquals(after.metadata.resourceVersion, before.metadata.resourceVersion);
  assertEquals(after.status?.observedGeneration, after.metadata.generation);
  assertEquals((await operatorWrites(testbed, { namespace, name })).length, writes);
  return after;
}

Deno.test("under the bare CRD the sample becomes a table, kubectl wait sees it, and one write is all", async () => {
  const { code, stderr } = await kubectl.run(["apply", "-f", "manifests/samples/website-users.yaml"]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `Warning: CREATE TABLE "public"."website_users"`);
  await kubectl.ok(["wait", "--for=condition=Ready", "databasetable/website-users", "--timeout=30s"]);
  assertEquals((await columnsOf(operator, "website_users")).length, 5);
  await assertAtRest("website-users", 1);
});

Deno.test("under the bare CRD apply, replace and diff find nothing to change", async () => {
  const file = "manifests/samples/website-users.yaml";
  assertStringIncludes(await kubectl.ok(["apply", "-f", file]), "unchanged");
  assertEquals((await kubectl.run(["diff", "-f", file])).code, 0);
  await assertAtRest("website-users", 1);
  // Without the subresource a replace takes the status away too: it is written again, once.
  await kubectl.ok(["replace", "-f", file]);
  await kubectl.ok(["wait", "--for=condition=Ready", "databasetable/website-users", "--timeout=30s"]);
  await assertAtRest("website-users", 2);
});

Deno.test("under the bare CRD a column is added, and a removed one is refused with the same words", async () => {
  await applied("altered", table("altered", [{ ID: "integer" }, { NOTE: "text" }]));
  await applied("altered", table("altered", [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }]));
  assertEquals(await columnsOf(operator, "altered"), ["id integer not null", "note text", "more text"]);
  await assertAtRest("altered", 2);
  const { code, stderr } = await kubectl.run(["apply", "-f", "-"], table("altered"));
  assertEquals(code, 1);
  assertStringIncludes(stderr, `* spec.columns: removing column "note" (text) would drop its data`);
  assertStringIncludes(stderr, `* spec.columns: removing column "more" (text) would drop its data`);
  await assertAtRest("altered", 2);
});

Deno.test("under the bare CRD the loop refuses what passed by admission, and says so once", async () => {
  await applied("refused", table("refused", [{ ID: "integer" }, { NOTE: "text" }]));
  await operator.stopOperator();
  await kubectl.ok(["apply", "-f", "-"], table("refused"));
  await operator.startOperator();
  await condition(operator, "refused", { type: "Ready", status: "False", reason: "PlanRefused" });
  await condition(operator, "refused", { type: "Stalled", status: "True" });
  assertEquals(await columnsOf(operator, "refused"), ["id integer not null", "note text"]);
  await assertAtRest("refused", 2);
});

Deno.test("under the bare CRD status, annotations and an object without a spec bring no review", async () => {
  const counter = new ReviewCounter(operator.httpPort);
  const patch = (name: string, value: unknown) => {
    return ["patch", "databasetable", name, "--type=merge", "-p", JSON.stringify(value)];
  };
  const bare = JSON.stringify({
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "none", namespace },
  });
  // Nobody judges while the operator is away.
  await operator.stopOperator();
  await kubectl.ok(["create", "-f", "-"], bare);
  await operator.startOperator();
  await applied("counted", table("counted"));
  const updated: ReviewCounts = { "mutate 200": 1, "validate 200": 1, "UPDATE allowed": 1 };
  const steps: readonly (readonly [args: readonly string[], reviews: ReviewCounts])[] = [
    // The status is a part of the object here.
    [patch("counted", { status: { message: "x" } }), {}],
    [["annotate", "databasetable", "counted", "a=b"], {}],
    [["annotate", "databasetable", "counted", "kopf.demo/take-over=x"], { "validate 200": 1, "UPDATE allowed": 1 }],
    [patch("counted", { spec: { comment: "x" } }), updated],
    [["label", "databasetable", "none", "a=b"], {}],
    [["delete", "databasetable", "none"], { "validate 200": 1, "DELETE allowed": 1 }],
    [["delete", "databasetable", "counted"], { "validate 200": 1, "DELETE allowed": 1 }],
  ];
  await counter.since();
  for (const [args, reviews] of steps) {
    await kubectl.ok(args);
    assertEquals(await counter.since(), reviews, args.join(" "));
  }
  const { code, stderr } = await kubectl.run(["create", "-f", "-"], bare);
  assertEquals([code, stderr.includes("spec: ")], [1, true], stderr);
});

Deno.test("under the bare CRD deleting the object drops the table", async () => {
  await kubectl.ok(["delete", "databasetable", "altered"]);
  assertEquals(await columnsOf(operator, "altered"), []);
});

Deno.test("an unknown field, which the bare CRD would keep, is denied", async () => {
  const spec = {
    tableName: "unknown",
    columns: [{ ID: { type: "integer", unique: true } }],
    primaryKey: "ID",
    ownr: 1,
  };
  const { code, stderr } = await kubectl.run(["apply", "-f", "-"], manifest("unknown", spec));
  assertEquals(code, 1);
  assertStringIncludes(stderr, "* spec.ownr: ");
  assertStringIncludes(stderr, "* spec.columns[0].ID.unique: ");
  assertEquals(await kubectl.get("databasetable", "unknown"), undefined);
});

Deno.test("column names that YAML changed are pointed at", async () => {
  const yaml = `
apiVersion: kopf.demo/v1
kind: DatabaseTable
metadata: {name: traps}
spec:
  tableName: traps
  columns:
  - ID: integer
  - yes: integer
  - NO: text
  - 1.50: text
  primaryKey: ID
`;
  const { stderr } = await kubectl.run(["apply", "-f", "-"], yaml);
  assertStringIncludes(stderr, `YAML turned the name into "true": quote the key if that is not meant`);
  assertStringIncludes(stderr, `YAML turned the name into "false": quote the key if that is not meant`);
  assertStringIncludes(stderr, `YAML turned the name into "1.5": quote the key if that is not meant`);
});

Deno.test("__proto__ is a column's name like any other", async () => {
  const text = table("prototypes", [{ ID: "integer" }]).replace(
    `}],"primaryKey"`,
    `},{"__proto__":"text"}],"primaryKey"`,
  );
  assertStringIncludes(text, `{"__proto__":"text"}`);
  assertStringIncludes(await applied("prototypes", text), `"__proto__" text`);
  assertEquals(await columnsOf(operator, "prototypes"), ["id integer not null", "__proto__ text"]);
  await assertAtRest("prototypes", 1);
});

Deno.test("an object without a spec is said to be invalid, can be annotated, and can be deleted", async () => {
  const empty = manifest("empty", undefined);
  const denied = await kubectl.run(["create", "-f", "-"], empty);
  assertEquals(denied.code, 1);
  assertStringIncludes(denied.stderr, "spec: must be set");
  await operator.stopOperator();
  await kubectl.ok(["create", "-f", "-"], empty);
  await operator.startOperator();
  await condition(operator, "empty", { type: "Ready", status: "False", reason: "InvalidSpec" });
  await kubectl.ok(["annotate", "databasetable", "empty", "example.com/note=hello"]);
  await settle();
  const writes = await operatorWrites(testbed, { namespace, name: "empty" });
  // The finalizer, and the status; the annotation causes no further one.
  assertEquals(writes.map(({ verb, code }) => [verb, code]), [["patch", 200], ["patch", 200]]);
  await kubectl.ok(["delete", "databasetable", "empty", "--timeout=30s"]);
});

Deno.test("the upgrade to our CRDs keeps every status, runs no statement, and ends at rest", async () => {
  const names = ["website-users", "prototypes"];
  const history = async () =>
    await operator.sql("SELECT table_id, n, statements FROM tablewright.history ORDER BY 1, 2");
  const before = await Promise.all(names.map(read));
  const ran = await history();
  await operator.restart([]);
  const schema = await administrator.ok(["get", "crd", "databasetables.kopf.demo", "-o", "json"]);
  assertEquals(JSON.parse(schema).spec.versions[0].subresources, { status: {} });
  for (const name of names) await condition(operator, name, { type: "Ready", status: "True" });
  await settle();
  const after = await Promise.all(names.map(read));
  assertEquals(
    after.map(({ metadata, status }) => ({ metadata, status })),
    before.map(({ metadata, status }) => ({ metadata, status })),
  );
  assertEquals(await history(), ran);
});

Deno.test("after the upgrade a change costs one write of the subresource, which leaves the generation alone", async () => {
  const before = await read("prototypes");
  const writes = (await operatorWrites(testbed, { namespace, name: "prototypes" })).length;
  const text = table("prototypes", [{ ID: "integer" }, { MORE: "text" }])
    .replace(`}],"primaryKey"`, `},{"__proto__":"text"}],"primaryKey"`);
  await applied("prototypes", text);
  const after = await assertAtRest("prototypes", writes + 1);
  assertEquals(after.metadata.generation, before.metadata.generation + 1);
  await kubectl.ok(["delete", "databasetable", "--all", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "website_users"), []);
});

Deno.test("the operator stops in order", () => operator.close());
