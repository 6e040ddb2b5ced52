import { assertEquals } from "@std/assert";
import { parseCommandLine } from "../../handlers/config.ts";
import { findFreePort } from "../../local/ports.ts";
import { run } from "../../main.ts";
import { type ApplyRequest, applyTable } from "../../postgres/apply/apply.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { dropOwnedTable } from "../../postgres/apply/drop.ts";
import type { Owner } from "../../postgres/registry/registry.ts";
import { emptyTable, type Table } from "../../postgres/table.ts";
import { RegistryGate } from "../../postgres/registry/registry_gate.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const OPERATORS = 10;
const TABLES = 30;
/** Ten operators share the hundred connections of a server. */
const FLAGS = ["--webhooks", "off", "--max-concurrent-reconciles", "4"];

const operator = await startTestOperator("many", { flags: FLAGS });
// It has installed the kinds; what it made in the database goes, so that all ten meet an empty one.
await operator.stopOperator();
await operator.sql("DROP SCHEMA tablewright CASCADE");
const { kubectl, namespace, testbed } = operator;
const names = Array.from({ length: TABLES }, (_, index) => `table-${String(index).padStart(2, "0")}`);

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

let running: readonly Running[] = [];

function table(name: string, columns: readonly unknown[] = [{ ID: "integer" }, { NOTE: "text" }]): unknown {
  const metadata = { name, namespace };
  const spec = { tableName: name.replaceAll("-", "_"), columns, primaryKey: "ID" };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata, spec };
}

async function applyAll(columns?: readonly unknown[]): Promise<void> {
  const items = names.map((name) => table(name, columns));
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

async function allReady(): Promise<void> {
  for (const name of names) await condition(operator, name, { type: "Ready", status: "True" });
}

function start(index: number): Running {
  const ports = ["--http-port", String(findFreePort()), "--webhook-port", String(findFreePort())];
  const flags = ["-q", ...ports, "-n", namespace, "--instance", `many-${index}`, ...FLAGS];
  const command = parseCommandLine(flags, {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey };
  const stop = new AbortController();
  const connections = { cluster, databaseUrl: operator.databaseUrl, embeddedCluster: true };
  return { stop, ended: run(command.config, connections, stop.signal) };
}

/** What ran for each table, in order. */
async function history(): Promise<readonly Record<string, unknown>[]> {
  return await operator.sql(
    `SELECT o.name, jsonb_agg(h.statements ORDER BY h.n) AS ran
     FROM tablewright.owned_table o LEFT JOIN tablewright.history h ON h.table_id = o.id GROUP BY o.name ORDER BY o.name`,
  );
}

async function tables(): Promise<readonly string[]> {
  const rows = await operator.sql(
    "SELECT relname FROM pg_class WHERE relname LIKE 'table\\_%' AND relkind = 'r' ORDER BY 1",
  );
  return rows.map((row) => String(row["relname"]));
}

function createdBy(name: string): string {
  return `CREATE TABLE "public"."${name.replaceAll("-", "_")}" ("id" integer, "note" text, PRIMARY KEY ("id"))`;
}

Deno.test("ten operators that start at once on an empty database make every table exactly once", async () => {
  await applyAll();
  running = Array.from({ length: OPERATORS }, (_, index) => start(index));
  await Promise.race([allReady(), ...running.map(({ ended }) => ended)]);
  assertEquals(await tables(), names.map((name) => name.replaceAll("-", "_")));
  assertEquals(await history(), names.map((name) => ({ name, ran: [[createdBy(name)]] })));
});

Deno.test("ten operators that see the same change make it exactly once", async () => {
  await applyAll([{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }]);
  await allReady();
  assertEquals(
    await history(),
    names.map((name) => ({
      name,
      ran: [[createdBy(name)], [`ALTER TABLE "public"."${name.replaceAll("-", "_")}" ADD COLUMN "more" text`]],
    })),
  );
});

Deno.test("no condition but the good ones is left, and every object has the finalizer once", async () => {
  const { items } = JSON.parse(await kubectl.ok(["get", "databasetables", "-o", "json"])) as {
    items: { metadata: { finalizers: string[] }; status: { conditions: { type: string; status: string }[] } }[];
  };
  for (const { metadata, status } of items) {
    assertEquals(metadata.finalizers, ["kopf.demo/tablewright"]);
    assertEquals(status.conditions.map((each) => `${each.type}=${each.status}`), [
      "Ready=True",
      "DatabaseReachable=True",
    ]);
  }
  assertEquals(items.length, TABLES);
});

Deno.test("ten operators that see the same deletions drop every table, and all objects go", async () => {
  await kubectl.ok(["delete", "databasetables", "--all", "--timeout=60s"]);
  assertEquals(await tables(), []);
  assertEquals(await operator.sql("SELECT count(*)::int AS rows FROM tablewright.owned_table"), [{ rows: 0 }]);
});

Deno.test("ten operators stop in order", async () => {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.map(({ ended }) => ended));
});

Deno.test("ten gates that check at once on an empty database make one registry that all of them trust", async () => {
  await operator.sql("DROP SCHEMA tablewright CASCADE");
  const databases = Array.from({ length: OPERATORS }, (_, index) => database(`gate ${index}`));
  const gates = databases.map((each) => new RegistryGate(each, { allowSuperuser: false, now: () => 0 }));
  await Promise.all(gates.map((gate) => gate.check(never)));
  assertEquals(await operator.sql("SELECT count(*)::int AS rows FROM tablewright.epoch"), [{ rows: 1 }]);
  await Promise.all(databases.map((each) => each.close()));
});

Deno.test("a lower generation of the same object changes nothing and leaves the registry as it is", async () => {
  await using fenced = database("fence");
  const owner = (generation: number): Owner => ({
    clusterId: "00000000-0000-4000-8000-000000000001",
    uid: "00000000-0000-4000-8000-000000000002",
    namespace,
    name: "fenced",
    generation,
  });
  const desired = (...columns: readonly string[]): Table => ({
    ...emptyTable("public", "fenced"),
    columns: ["id", ...columns].map((name) => ({ name, type: "integer", notNull: name === "id" })),
    primaryKey: { columns: ["id"] },
  });
  const apply = (generation: number, table: Table) => applyTable(fenced, request(owner(generation), table), LIMITS);
  const registered = () =>
    operator.sql("SELECT generation, members FROM tablewright.owned_table WHERE name = 'fenced'");

  assertEquals((await apply(3, desired("a"))).kind, "done");
  const before = await registered();
  assertEquals((await apply(2, desired("a", "late"))).kind, "fenced");
  assertEquals((await apply(1, { ...desired("a"), name: "renamed" })).kind, "fenced");
  assertEquals(await columnsOf(operator, "fenced"), ["id integer not null", "a integer"]);
  assertEquals(await registered(), before);
  assertEquals((await apply(4, desired("a", "late"))).kind, "done");
  assertEquals(await columnsOf(operator, "fenced"), ["id integer not null", "a integer", "late integer"]);
  assertEquals(
    (await dropOwnedTable(fenced, { owner: owner(5), isGoing: () => Promise.resolve(false) }, LIMITS)).kind,
    "dropped",
  );
});

Deno.test("ten transactions that apply one generation at once make its table once", async () => {
  await using shared = database("race");
  const owner: Owner = {
    clusterId: "00000000-0000-4000-8000-000000000001",
    uid: "00000000-0000-4000-8000-000000000003",
    namespace,
    name: "raced",
    generation: 1,
  };
  const columns = [{ name: "id", type: "integer", notNull: true }];
  const desired = { ...emptyTable("public", "raced"), columns, primaryKey: { columns: ["id"] } };
  const ran: number[] = [];
  await Promise.all(Array.from({ length: OPERATORS }, () =>
    eventually("not busy", async () => {
      const outcome = await applyTable(shared, request(owner, desired), LIMITS);
      if (outcome.kind !== "done") return undefined;
      ran.push(outcome.statements.length);
      return outcome.kind;
    })));
  assertEquals(ran.toSorted(), [...Array.from({ length: OPERATORS - 1 }, () => 0), 1]);
  const rows = await operator.sql(
    "SELECT count(*)::int AS entries FROM tablewright.history h JOIN tablewright.owned_table o ON o.id = h.table_id WHERE o.name = 'raced'",
  );
  assertEquals(rows, [{ entries: 1 }]);
});

Deno.test("the operator stops in order", () => operator.close());

const never = new AbortController().signal;
const LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000, signal: never };

function request(owner: Owner, desired: Table): ApplyRequest<never> {
  return {
    owner,
    desired,
    renames: new Map(),
    using: new Map(),
    online: "Prefer",
    specHash: JSON.stringify(desired),
    wasMade: false,
    isLiving: () => Promise.resolve(true),
    verify: () => Promise.resolve({ faults: [], searchPath: [] }),
    judge: () => [],
  };
}

function database(applicationName: string) {
  const opened = openDatabase({ url: operator.databaseUrl, applicationName, maxConnections: OPERATORS });
  return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
}
