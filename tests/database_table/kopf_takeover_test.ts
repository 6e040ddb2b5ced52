import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("kopf-takeover");
const { kubectl, role } = operator;
const KOPF = "kopf.zalando.org/KopfFinalizerMarker";
const OURS = "kopf.demo/tablewright";
const LAST = "kopf.zalando.org/last-handled-configuration";

interface Stored {
  readonly metadata: {
    readonly generation: number;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

function table(name: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  const columns = [{ id: "integer" }, { note: "text" }];
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: {
      name,
      namespace: operator.namespace,
      finalizers: [KOPF],
      annotations: { [LAST]: '{"spec":{}}', "example.com/theirs": "stays" },
    },
    spec: { tableName: name, columns, primaryKey: "id", ...spec },
  };
}

/** What a kopf operator left behind: its object, made while nobody of us was there, and its table. */
async function leftByKopf(name: string, spec: Record<string, unknown> = {}): Promise<void> {
  await operator.sql(`CREATE TABLE ${name} (id integer PRIMARY KEY, note text)`);
  await operator.sql(`ALTER TABLE ${name} OWNER TO ${role}`);
  await operator.sql(`INSERT INTO ${name} VALUES (1, 'kept')`);
  await kubectl.ok(["create", "-f", "-"], JSON.stringify(table(name, spec)));
}

async function stored(name: string): Promise<Stored> {
  return await kubectl.get("databasetable", name) as unknown as Stored;
}

async function mark(name: string, finalizers: readonly string[]): Promise<void> {
  const patch = JSON.stringify({ metadata: { finalizers } });
  await kubectl.ok(["patch", "databasetable", name, "--type=merge", "-p", patch]);
}

Deno.test("an object of kopf is taken over with its table: kopf's finalizer and annotations go, others stay", async () => {
  await operator.stopOperator();
  await leftByKopf("former");
  await operator.startOperator();
  await condition(operator, "former", { type: "Ready", status: "True" });
  const { metadata } = await stored("former");
  assertEquals(metadata.finalizers, [OURS]);
  assertEquals(metadata.annotations?.[LAST], undefined);
  assertEquals(metadata.annotations?.["example.com/theirs"], "stays");
  assertEquals(metadata.annotations?.["tablewright.dev/taken-over-from"], "kopf.zalando.org");
  assertEquals(await operator.sql("SELECT * FROM former"), [{ id: 1, note: "kept" }]);
  const [row] = await operator.sql("SELECT origin FROM tablewright.owned_table WHERE table_name = 'former'");
  assertEquals(row, { origin: "adopted" });
  const columns = [{ id: "integer" }, { note: "text" }, { more: "text" }];
  await kubectl.ok(["patch", "databasetable", "former", "--type=merge", "-p", JSON.stringify({ spec: { columns } })]);
  await condition(operator, "former", { type: "Ready", status: "True" });
  assertEquals((await columnsOf(operator, "former")).at(-1), "more text");
  await kubectl.ok(["delete", "databasetable", "former"]);
  assertEquals((await columnsOf(operator, "former")).length, 3, "a table that kopf made was dropped without a word");
});

Deno.test("an object of kopf whose table is not as it says keeps kopf's marks until it is", async () => {
  await operator.stopOperator();
  await leftByKopf("unlike", { columns: [{ id: "bigint" }, { note: "text" }] });
  await operator.startOperator();
  await condition(operator, "unlike", { type: "Ready", status: "False", reason: "PlanRefused" });
  assertEquals((await stored("unlike")).metadata.finalizers?.includes(KOPF), true);
  await operator.sql("ALTER TABLE unlike ALTER COLUMN id TYPE bigint");
  await kubectl.ok(["annotate", "databasetable", "unlike", "example.com/again=1"]);
  await condition(operator, "unlike", { type: "Ready", status: "True" });
  assertEquals((await stored("unlike")).metadata.finalizers, [OURS]);
});

Deno.test("an object that is terminating already is finalized under kopf's finalizer, which then goes", async () => {
  await operator.stopOperator();
  await leftByKopf("ending");
  await leftByKopf("dying", { deletionPolicy: "Delete" });
  await kubectl.ok(["delete", "databasetable", "ending", "dying", "--wait=false"]);
  assertEquals(typeof (await stored("ending")).metadata.deletionTimestamp, "string");
  await operator.startOperator();
  await kubectl.ok(["wait", "--for=delete", "databasetable/ending", "databasetable/dying", "--timeout=60s"]);
  // The registry knows neither: nothing that we did not make is dropped.
  assertEquals(await operator.sql("SELECT * FROM ending"), [{ id: 1, note: "kept" }]);
  assertEquals(await operator.sql("SELECT * FROM dying"), [{ id: 1, note: "kept" }]);
});

Deno.test("when kopf's marker comes back nothing is done to the table until it is removed", async () => {
  await kubectl.ok(
    ["create", "-f", "-"],
    JSON.stringify({ ...table("both"), metadata: { name: "both", namespace: operator.namespace } }),
  );
  await condition(operator, "both", { type: "Ready", status: "True" });
  await mark("both", [OURS, KOPF]);
  const stalled = await condition(operator, "both", { type: "Stalled", status: "True", reason: "OtherOperatorActive" });
  assertStringIncludes(String(stalled["message"]), `its finalizer ${KOPF}`);
  const columns = [{ id: "integer" }, { note: "text" }, { more: "text" }];
  await kubectl.ok(["patch", "databasetable", "both", "--type=merge", "-p", JSON.stringify({ spec: { columns } })]);
  await condition(operator, "both", { type: "Ready", status: "False", reason: "OtherOperatorActive" });
  assertEquals((await columnsOf(operator, "both")).length, 2);
  assertEquals((await stored("both")).metadata.finalizers, [OURS, KOPF], "kopf's marker was taken away again");
  await mark("both", [OURS]);
  await condition(operator, "both", { type: "Ready", status: "True" });
  assertEquals((await columnsOf(operator, "both")).length, 3);
});

Deno.test("suspend comes before the other operator: nobody looks, and a deletion keeps the table", async () => {
  const origin = { metadata: { name: "paused", namespace: operator.namespace } };
  await kubectl.ok(
    ["create", "-f", "-"],
    JSON.stringify({ ...table("paused", { deletionPolicy: "Delete" }), ...origin }),
  );
  await condition(operator, "paused", { type: "Ready", status: "True" });
  const suspend = (value: boolean) =>
    kubectl.ok([
      "patch",
      "databasetable",
      "paused",
      "--type=merge",
      "-p",
      JSON.stringify({ spec: { suspend: value } }),
    ]);
  await suspend(true);
  await mark("paused", [OURS, KOPF]);
  await condition(operator, "paused", { type: "Ready", status: "Unknown", reason: "Suspended" });
  await suspend(false);
  await condition(operator, "paused", { type: "Stalled", status: "True", reason: "OtherOperatorActive" });
  await suspend(true);
  await condition(operator, "paused", { type: "Ready", status: "Unknown", reason: "Suspended" });
  await kubectl.ok(["delete", "databasetable", "paused", "--timeout=30s"]);
  assertEquals((await columnsOf(operator, "paused")).length, 2);
});

Deno.test("an object that both hold and that is deleted waits; Retain releases it", async () => {
  await mark("both", [OURS, KOPF]);
  await condition(operator, "both", { type: "Stalled", status: "True", reason: "OtherOperatorActive" });
  await kubectl.ok(["delete", "databasetable", "both", "--wait=false"]);
  await eventually("it says that it waits", async () => {
    const object = await stored("both") as Stored & { status: { conditions: { reason: string }[] } };
    return object.metadata.deletionTimestamp !== undefined &&
      object.status.conditions.some(({ reason }) => reason === "OtherOperatorActive");
  });
  assertEquals((await columnsOf(operator, "both")).length, 3);
  const retain = JSON.stringify({ spec: { deletionPolicy: "Retain" } });
  await kubectl.ok(["patch", "databasetable", "both", "--type=merge", "-p", retain]);
  await eventually("our finalizer goes", async () => {
    const object = await kubectl.get("databasetable", "both") as Stored | undefined;
    return object === undefined || !(object.metadata.finalizers ?? []).includes(OURS);
  });
  assertEquals((await columnsOf(operator, "both")).length, 3);
});

/** Objects of the other kinds that a kopf operator has made something for; no schema hides anything of them. */
const OTHER_KINDS = {
  databases: { apiVersion: "zalando.org/v1", kind: "Database", spec: { type: "mongo" } },
  samples: { apiVersion: "nuvolaris.org/v1", kind: "Sample", spec: { count: 0 } },
} as const;

function markedObject(plural: keyof typeof OTHER_KINDS, name: string): string {
  const { metadata } = table(name);
  return JSON.stringify({ ...OTHER_KINDS[plural], metadata });
}

async function storedAs(plural: string, name: string): Promise<OtherStored | undefined> {
  return await kubectl.get(plural, name) as unknown as OtherStored | undefined;
}

interface OtherStored extends Stored {
  readonly status?: {
    readonly observedGeneration: number;
    readonly conditions: readonly { readonly type: string; readonly reason: string }[];
  };
}

async function becomes(plural: string, name: string, reason: string): Promise<OtherStored> {
  return await eventually(`${plural} ${name} is ${reason}`, async () => {
    const object = await storedAs(plural, name);
    return object?.status?.conditions.some((each) => each.reason === reason) === true ? object : undefined;
  });
}

for (const plural of ["databases", "samples"] as const) {
  // There is no node in this cluster, so no Pod becomes ready.
  const made = { databases: "PodNotReady", samples: "Scaled" }[plural];
  const name = `old-${plural}`;
  const leaving = `leaving-${plural}`;
  const write = (metadata: unknown) =>
    kubectl.ok(["patch", plural, name, "--type=merge", "-p", JSON.stringify({ metadata })]);

  Deno.test(`${plural} of kopf are taken over, and one that is terminating goes`, async () => {
    await operator.stopOperator();
    await kubectl.ok(["create", "-f", "-"], markedObject(plural, leaving));
    await kubectl.ok(["delete", plural, leaving, "--wait=false"]);
    await kubectl.ok(["create", "-f", "-"], markedObject(plural, name));
    await operator.startOperator();
    const { metadata } = await becomes(plural, name, made);
    assertEquals(metadata.finalizers, undefined);
    assertEquals(metadata.annotations?.[LAST], undefined);
    assertEquals(metadata.annotations?.["example.com/theirs"], "stays");
    assertEquals(metadata.annotations?.["tablewright.dev/taken-over-from"], "kopf.zalando.org");
    await kubectl.ok(["wait", "--for=delete", `${plural}/${leaving}`, "--timeout=60s"]);
    await eventually("it is told", async () => {
      const events = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"]));
      return (events.items as { regarding: { name: string }; reason: string }[])
        .some(({ regarding, reason }) => regarding.name === name && reason === "TakenOver");
    });
  });

  Deno.test(`nothing is done to ${plural} on which another operator works too, until it stops`, async () => {
    const child = { databases: ["service", name], samples: ["deployment", "demo-deploy"] }[plural];
    await write({ finalizers: [KOPF] });
    await becomes(plural, name, "OtherOperatorActive");
    const [resource = "", childName = ""] = child;
    await kubectl.ok(["delete", resource, childName]);
    await write({ annotations: { "example.com/look": "again" } });
    await kubectl.ok(["delete", plural, name, "--wait=false"]);
    const terminating = await eventually("the deletion was seen", async () => {
      const object = await storedAs(plural, name);
      const { metadata, status } = object ?? {};
      // A deletion counts a generation.
      const isSeen = metadata?.generation === status?.observedGeneration;
      return metadata?.deletionTimestamp !== undefined && isSeen ? object : undefined;
    });
    assertEquals(terminating?.metadata.finalizers, [KOPF], "kopf's marker was taken away again");
    assertEquals(await kubectl.get(resource, childName), undefined, "something was made although kopf works on it");
    await write({ finalizers: [] });
    await kubectl.ok(["wait", "--for=delete", `${plural}/${name}`, "--timeout=60s"]);
  });
}

Deno.test("the operator stops", async () => {
  await operator.close();
});
