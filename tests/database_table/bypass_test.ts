import { assertEquals, assertStringIncludes } from "@std/assert";
import { startFaultProxy } from "../harness/tcp_fault_proxy.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

let proxy: ReturnType<typeof startFaultProxy> | undefined;
const operator = await startTestOperator("bypass", {
  databasePort: (port) => (proxy = startFaultProxy(port)).port,
});
const { kubectl } = operator;

function table(name: string, columns: unknown, more: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: operator.namespace },
    spec: { tableName: name.toUpperCase(), columns, primaryKey: "ID", ...more },
  };
}

async function eventReasons(name: string): Promise<readonly string[]> {
  const { items } = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"])) as {
    items: { reason: string; regarding: { name: string } }[];
  };
  return items.filter((item) => item.regarding.name === name).map((item) => item.reason);
}

async function eventuallyEvent(name: string, reason: string): Promise<void> {
  await eventually(
    `an event ${reason} of ${name}`,
    async () => (await eventReasons(name)).includes(reason) || undefined,
  );
}

Deno.test("when the webhooks are gone the loop refuses the same change with the same words", async () => {
  await kubectl.apply(table("victim", [{ ID: "integer" }, { NOTE: "text" }]));
  await condition(operator, "victim", { type: "Ready", status: "True" });
  const bad = table("victim", [{ ID: "integer" }]);
  const refused = await kubectl.apply(bad);
  assertEquals(refused.code, 1);
  // One that somebody only deletes comes back.
  await operator.restart(["--webhooks=off"]);
  await eventually("the API server forgot the webhook", async () => (await kubectl.apply(bad)).code === 0 || undefined);
  const ready = await condition(operator, "victim", { type: "Ready", status: "False", reason: "PlanRefused" });
  await condition(operator, "victim", { type: "Stalled", status: "True" });
  assertEquals(await columnsOf(operator, "victim"), ["id integer not null", "note text"]);
  const [, words = ""] = /(removing column .*)/.exec(refused.stderr) ?? [];
  assertStringIncludes(String(ready["message"]), words);
  await eventuallyEvent("victim", "PlanRefused");
});

Deno.test("without the mutating webhook the loop adds the finalizer before it makes anything", async () => {
  await kubectl.apply(table("unguarded", [{ ID: "integer" }]));
  await condition(operator, "unguarded", { type: "Ready", status: "True" });
  const object = await kubectl.get("databasetable", "unguarded") as { metadata: { finalizers: string[] } };
  assertEquals(object.metadata.finalizers, ["kopf.demo/tablewright"]);
});

Deno.test("an invalid spec that passed by is refused by the loop with the same field paths", async () => {
  await kubectl.apply(table("invalid", [{ ID: "int); DROP TABLE victim; --" }]));
  const ready = await condition(operator, "invalid", { type: "Ready", status: "False", reason: "InvalidSpec" });
  assertStringIncludes(String(ready["message"]), "spec.columns[0].ID");
  assertEquals(await columnsOf(operator, "victim"), ["id integer not null", "note text"]);
});

Deno.test("while the database is unreachable a deletion waits, says so, and completes when it is back", async () => {
  await kubectl.apply(table("waiting", [{ ID: "integer" }]));
  await condition(operator, "waiting", { type: "Ready", status: "True" });
  proxy?.refuse();
  await kubectl.ok(["delete", "databasetable", "waiting", "--wait=false"]);
  const unreachable = await condition(operator, "waiting", { type: "DatabaseReachable", status: "False" });
  assertStringIncludes(String(unreachable["message"]), "Cannot connect to PostgreSQL");
  await eventuallyEvent("waiting", "DatabaseUnreachable");
  assertEquals(await columnsOf(operator, "waiting"), ["id integer not null"]);
  proxy?.accept();
  await kubectl.ok(["wait", "--for=delete", "databasetable/waiting", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "waiting"), []);
});

Deno.test("while the database is unreachable Retain releases an object that is being deleted", async () => {
  await kubectl.apply(table("released", [{ ID: "integer" }]));
  await condition(operator, "released", { type: "Ready", status: "True" });
  proxy?.refuse();
  await kubectl.ok(["delete", "databasetable", "released", "--wait=false"]);
  await condition(operator, "released", { type: "DatabaseReachable", status: "False" });
  const patch = JSON.stringify({ spec: { deletionPolicy: "Retain" } });
  await kubectl.ok(["patch", "databasetable", "released", "--type=merge", "-p", patch]);
  await kubectl.ok(["wait", "--for=delete", "databasetable/released", "--timeout=30s"]);
  proxy?.accept();
  assertEquals(await columnsOf(operator, "released"), ["id integer not null"]);
});

Deno.test("admission judges against the old spec while the database is unreachable, and says so", async () => {
  await operator.restart();
  await kubectl.apply(table("offline", [{ ID: "integer" }, { NOTE: "text" }]));
  await condition(operator, "offline", { type: "Ready", status: "True" });
  proxy?.refuse();
  const added = await kubectl.apply(table("offline", [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }]));
  assertEquals(added.code, 0, added.stderr);
  assertStringIncludes(added.stderr, "the database cannot be asked now");
  assertStringIncludes(added.stderr, `ADD COLUMN "more" text`);
  const removed = await kubectl.apply(table("offline", [{ ID: "integer" }, { MORE: "text" }]));
  assertEquals(removed.code, 1);
  assertStringIncludes(removed.stderr, `removing column "note"`);
  proxy?.accept();
  await condition(operator, "offline", { type: "Ready", status: "True" });
  assertEquals(await columnsOf(operator, "offline"), ["id integer not null", "note text", "more text"]);
});

Deno.test("a registry that somebody changed stops every change", async () => {
  await operator.sql("CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$");
  await operator.sql(
    "CREATE TRIGGER trap BEFORE INSERT ON tablewright.owned_table FOR EACH ROW EXECUTE FUNCTION public.trap()",
  );
  await operator.restart();
  await kubectl.apply(table("distrusted", [{ ID: "integer" }]));
  const ready = await condition(operator, "distrusted", {
    type: "Ready",
    status: "False",
    reason: "RegistryUntrusted",
  });
  assertStringIncludes(String(ready["message"]), "trigger trap");
  assertEquals(await columnsOf(operator, "distrusted"), []);
  await operator.sql("DROP TRIGGER trap ON tablewright.owned_table");
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
  proxy?.close();
});
