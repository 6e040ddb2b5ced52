import { delay } from "@std/async/delay";
import { assertEquals } from "@std/assert";
import { KubeClient } from "../../kube/client/client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { startFaultProxy } from "../harness/tcp_fault_proxy.ts";
import { startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const TABLES = 200;
const TYPE = { group: "kopf.demo", version: "v1", plural: "databasetables", kind: "DatabaseTable", namespaced: true };

type Table = KubeObject<
  unknown,
  { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
>;

let proxy: ReturnType<typeof startFaultProxy> | undefined;
const operator = await startTestOperator("outage", { databasePort: (port) => (proxy = startFaultProxy(port)).port });
const { namespace, testbed, kubectl } = operator;
const client = new KubeClient(testbed);

/** How many tables have a condition with that status. */
async function count(type: string, status: string): Promise<number> {
  const { items } = await client.list<Table>(TYPE, { namespace });
  const has = (table: Table) => table.status?.conditions?.some((each) => each.type === type && each.status === status);
  return items.filter(has).length;
}

async function allHave(type: string, status: string): Promise<void> {
  await eventually(`all tables have ${type}=${status}`, async () => {
    if (await count(type, status) === TABLES) return true;
    // Each look reads all of them, in the process of the operator.
    await delay(250);
    return undefined;
  });
}

Deno.test("an outage of PostgreSQL costs at most two connections a second, and ends for 200 tables at once", async () => {
  const items = Array.from({ length: TABLES }, (_, index) => ({
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: `table-${index}`, namespace },
    spec: { tableName: `table_${index}`, columns: [{ ID: "integer" }], primaryKey: "ID" },
  }));
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await allHave("Ready", "True");

  await operator.stopOperator();
  proxy?.refuse();
  const attemptsBefore = proxy?.attempts ?? 0;
  const before = performance.now();
  await operator.startOperator();
  await allHave("DatabaseReachable", "False");
  const toldMs = performance.now() - before;
  // An object that is changed meanwhile asks for its database no more than the others.
  await kubectl.ok(["annotate", "databasetable", "--all", "touched=yes"]);
  await delay(5_000);
  const attempts = (proxy?.attempts ?? 0) - attemptsBefore;
  const seconds = (performance.now() - before) / 1_000;
  assertEquals(attempts <= 2 * seconds, true, `${attempts} attempts in ${seconds} s`);
  assertEquals(await count("Ready", "False"), TABLES);

  proxy?.accept();
  const back = performance.now();
  await allHave("Ready", "True");
  const tookMs = performance.now() - back;
  // As many writes as it took to tell of the outage: on a busy machine they take their time, a backoff takes minutes.
  const limitMs = Math.max(15_000, 2_500 + 2 * toldMs);
  assertEquals(tookMs <= limitMs, true, `all are ready ${tookMs} ms after PostgreSQL was back, not in ${limitMs} ms`);
});

Deno.test("a connection that is killed is no outage for the others", async () => {
  await operator.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${operator.role}'`,
  );
  const spec = { columns: [{ ID: "integer" }, { NOTE: "text" }] };
  await kubectl.ok(["patch", "databasetable", "table-1", "--type=merge", "-p", JSON.stringify({ spec })]);
  await eventually("the column is there", async () => {
    const [row] = await operator.sql(
      "SELECT 1 AS found FROM pg_attribute WHERE attrelid = 'public.table_1'::regclass AND attname = 'note'",
    );
    return row?.["found"] === 1 || undefined;
  });
  await allHave("Ready", "True");
});

Deno.test("the operator stops in order", async () => {
  client.close();
  await operator.close();
  proxy?.close();
});
