import { assertEquals } from "@std/assert";
import { TABLE_RESOURCE } from "../../handlers/database_table/handler.ts";
import { KubeClient } from "../../kube/client/client.ts";
import type { KubeManifest } from "../../kube/object.ts";
import { holdLock } from "../harness/held_lock.ts";
import { OperatorProcess } from "../harness/operator_process.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { type ReviewStream, streamReviews } from "../harness/review_stream.ts";
import { tableReview } from "../harness/table_review.ts";
import { eventually } from "../harness/wait.ts";

/** Two operators as processes of their own, as two Pods of one Deployment would be; the same cluster, the same database. */
const operator = await startTestOperator("replicas");
const { kubectl, namespace, testbed } = operator;
// It has installed the kinds.
await operator.stopOperator();

const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
const cluster = new KubeClient({ server, certificateAuthority, clientCertificate, clientKey });

const SPEC = { tableName: "reviewed", columns: [{ ID: "integer" }], primaryKey: "ID" };
/** Of replicas that are watched while a Lease runs out, which takes a quarter of a minute. */
const WATCHED = { pauseMs: 100 };
const REVIEW = tableReview({ namespace, name: "reviewed", spec: SPEC });

const processes: OperatorProcess[] = [];
let started = 0;

async function startReplica(): Promise<OperatorProcess> {
  const name = `replica-${++started}`;
  const flags = ["-n", namespace, "--instance", namespace, "--webhooks", "off", "--no-crds"];
  const replica = new OperatorProcess({
    name,
    kubeconfigPath: testbed.kubeconfigPath,
    databaseUrl: operator.databaseUrl,
    flags: [...flags, "--leader-election-namespace", namespace],
    inPod: true,
  });
  processes.push(replica);
  return await replica.ready();
}

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number };
}

/** A figure for whoever reads the output: it depends on the machine, so nothing is asserted of it. */
function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function lease(): Promise<Lease["spec"]> {
  return (await kubectl.get("lease", namespace) as unknown as Lease).spec;
}

async function isLeader({ name }: OperatorProcess): Promise<boolean> {
  return (await lease()).holderIdentity.startsWith(`${name}_`);
}

function table(name: string, columns: readonly unknown[]): KubeManifest {
  const metadata = { name: name.replaceAll("_", "-"), namespace };
  const spec = { tableName: name, columns, primaryKey: "ID", changePolicy: { lockTimeoutSeconds: 30 } };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata, spec };
}

/** Makes a table, and answers how many milliseconds after `since` its CREATE TABLE ran. */
async function msUntilMade(name: string, since: number): Promise<number> {
  await cluster.apply(TABLE_RESOURCE, table(name, [{ ID: "integer" }]));
  const [row] = await eventually(`${name} is there`, async () => {
    const rows = await operator.sql(`SELECT at FROM audit.ddl WHERE name = 'public.${name}' AND tag = 'CREATE TABLE'`);
    return rows.length > 0 && rows;
  });
  return Math.round((row?.["at"] as Date).getTime() - (performance.timeOrigin + since));
}

/** Committed DDL on our tables, in order: only what was committed is seen. */
async function committed(): Promise<readonly { readonly tag: string; readonly pid: number }[]> {
  const rows = await operator.sql("SELECT tag, pid FROM audit.ddl WHERE name LIKE 'public.%' ORDER BY id");
  return rows.map((row) => ({ tag: String(row["tag"]), pid: Number(row["pid"]) }));
}

await operator.sql("CREATE SCHEMA audit");
await operator.sql(
  "CREATE TABLE audit.ddl (id bigserial, tag text, name text, pid int, at timestamptz DEFAULT clock_timestamp())",
);
await operator.sql(`CREATE FUNCTION audit.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN INSERT INTO audit.ddl (tag, name, pid)
    SELECT command_tag, object_identity, pg_backend_pid() FROM pg_event_trigger_ddl_commands()
    WHERE object_type = 'table'; END $$`);
await operator.sql("CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION audit.note()");

Deno.test("of two replicas one leads, both are ready and answer reviews, and a change is made once", async () => {
  const [first, second] = [await startReplica(), await startReplica()];
  assertEquals([await isLeader(first), await isLeader(second)], [true, false]);
  await kubectl.apply(table("shared", [{ ID: "integer" }]));
  await condition(operator, "shared", { type: "Ready", status: "True" });
  await kubectl.apply(table("shared", [{ ID: "integer" }, { NOTE: "text" }]));
  await condition(operator, "shared", { type: "Ready", status: "True" });
  assertEquals((await committed()).map(({ tag }) => tag), ["CREATE TABLE", "ALTER TABLE"]);
  for (const replica of [first, second]) {
    const reviews = streamReviews(replica.webhookPort, REVIEW);
    await reviews.answers(20);
    assertEquals((await reviews.stop()).lost, []);
    const ready = await replica.ask("/readyz?verbose");
    assertEquals(ready, {
      status: 200,
      text: [
        "shutdown",
        "listener",
        "cache-databasetable",
        "cache-database",
        "cache-sample",
        "access",
        "database",
        "webhook-configurations",
        "election",
      ]
        .map((check) => `[+]${check} ok\n`).join(""),
    });
  }
  const status = await Promise.all([first, second].map(async (replica) => {
    const lines = (await replica.ask("/metrics"))?.text.split("\n") ?? [];
    return lines.filter((line) => line.startsWith("leader_election_master_status"));
  }));
  assertEquals(status, [1, 0].map((value) => [`leader_election_master_status{name="${namespace}"} ${value}`]));
});

Deno.test("a leader that is asked to stop hands over at once, and loses no review", async () => {
  const [first, second] = [processes[0], processes[1]];
  if (first === undefined || second === undefined) throw new Error("two replicas run");
  // Few connections: what is measured is the hand-over, and not a flood of reviews.
  const streams: ReviewStream[] = [first, second].map(({ webhookPort }) =>
    streamReviews(webhookPort, REVIEW, { connections: 2 })
  );
  await Promise.all(streams.map((each) => each.answers(100)));
  first.send("SIGTERM");
  await streams[0]?.sentAway;
  assertEquals((await first.ask("/readyz"))?.status, 503);
  const { code, at } = await first.ended;
  const ms = await msUntilMade("after_stop", at);
  await streams[1]?.answers(100);
  const results = await Promise.all(streams.map((each) => each.stop()));
  assertEquals(results.flatMap(({ lost }) => lost), []);
  assertEquals([code, await isLeader(second)], [0, true]);
  const leads = Date.parse(String((await second.says("this process leads"))["time"]));
  const exit = performance.timeOrigin + at;
  report(
    `SIGTERM: the other one led ${Math.round(leads - exit)} ms after the exit, next DDL after ${ms} ms; ${
      results.map(({ answered }) => answered)
    } reviews, none lost`,
  );
});

Deno.test("a leader that is killed is replaced when its lease is over, and the other one never stops answering", async () => {
  const [, second] = processes;
  const third = await startReplica();
  if (second === undefined) throw new Error("a second replica runs");
  const reviews = streamReviews(third.webhookPort, REVIEW, WATCHED);
  second.send("SIGKILL");
  const { at } = await second.ended;
  const ms = await msUntilMade("after_kill", at);
  assertEquals(await isLeader(third), true);
  const { lost, answered } = await reviews.stop();
  assertEquals([lost, answered > 0], [[], true]);
  report(`SIGKILL: next DDL ${ms} ms after the end; ${answered} reviews, none lost`);
});

Deno.test("a leader that is frozen in the middle of a change and wakes up after its time changes nothing", async () => {
  const frozen = processes[2];
  if (frozen === undefined) throw new Error("a third replica runs");
  const other = await startReplica();
  const reviews = streamReviews(other.webhookPort, REVIEW, WATCHED);
  const before = (await committed()).length;
  const reader = await holdLock(operator, "shared", "ACCESS SHARE");
  await kubectl.apply(table("shared", [{ ID: "integer" }, { NOTE: "text" }, { MORE: "text" }]));
  const pid = await eventually("the leader waits for the lock", async () => {
    const [row] = await operator.sql("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'");
    return row?.["pid"] as number | undefined;
  });
  frozen.send("SIGSTOP");
  await reader.release();
  // The server goes on without its client: the lock is taken, and nobody commits.
  await eventually("its transaction stands", async () => {
    const [row] = await operator.sql(`SELECT state FROM pg_stat_activity WHERE pid = ${pid}`);
    return row?.["state"] === "idle in transaction";
  });
  assertEquals(await frozen.ask("/healthz"), undefined);
  await other.says("this process leads");
  const ms = await msUntilMade("while_frozen", performance.now());
  frozen.send("SIGCONT");
  await frozen.says("leads no more");
  await condition(operator, "shared", { type: "Ready", status: "True" });
  const after = (await committed()).slice(before);
  // Which comes first is nobody's promise: the other one makes up for the change as soon as the lock is free.
  assertEquals(after.map(({ tag }) => tag).toSorted(), ["ALTER TABLE", "CREATE TABLE"]);
  assertEquals(after.some((each) => each.pid === pid), false);
  assertEquals(await columnsOf(operator, "shared"), ["id integer not null", "note text", "more text"]);
  const { lost, answered } = await reviews.stop();
  assertEquals([lost, await isLeader(other)], [[], true]);
  // It is a standby now, and as good as any.
  await frozen.ready();
  report(`SIGSTOP: the other one made a table in ${ms} ms; ${answered} reviews, none lost`);
});

Deno.test("a standby that was a leader before leads again when it is its turn, and makes what is new", async () => {
  const [, , woken, other] = processes;
  if (woken === undefined || other === undefined) throw new Error("two replicas run");
  other.send("SIGTERM");
  assertEquals((await other.ended).code, 0);
  await msUntilMade("second_term", performance.now());
  assertEquals(await isLeader(woken), true);
});

Deno.test("a second request, more than a second after the first, ends the process at once", async () => {
  const replica = await startReplica();
  replica.send("SIGTERM");
  await eventually("it is on its way out", async () => (await replica.ask("/readyz"))?.status === 503);
  // What follows within a second is the same request, so it is repeated until the process has had enough.
  const repeating = setInterval(() => replica.sendIfAlive("SIGTERM"), 300);
  const { code } = await replica.ended;
  clearInterval(repeating);
  assertEquals(code, 1);
  assertEquals(replica.log.some(({ message }) => message.includes("the Lease is free")), false);
});

Deno.test("all replicas stop in order", async () => {
  await Promise.all(processes.map((each) => each.close()));
  cluster.close();
  const bugs = processes.flatMap(({ log }) => log.filter(({ level }) => level === "error"));
  assertEquals(bugs, []);
  assertEquals((await lease()).holderIdentity, "");
  await operator.close();
});
