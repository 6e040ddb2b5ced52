import { delay } from "@std/async/delay";
import { assertEquals, assertRejects } from "@std/assert";
import { parseCommandLine } from "../../handlers/config.ts";
import { runLocally } from "../../local/local_run.ts";
import { findFreePort } from "../../local/ports.ts";
import { cacheRoot, cloneDirectory } from "../../local/state.ts";
import { run } from "../../main.ts";
import { holdLock } from "../harness/held_lock.ts";
import { startApiProxy } from "../harness/api_proxy.ts";
import { startFaultProxy } from "../harness/tcp_fault_proxy.ts";
import { condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

let proxy: ReturnType<typeof startFaultProxy> | undefined;
const operator = await startTestOperator("shutdown", { databasePort: (port) => (proxy = startFaultProxy(port)).port });
const { kubectl, namespace, testbed } = operator;

function table(columns: readonly unknown[]): unknown {
  const metadata = { name: "held", namespace };
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata,
    spec: { tableName: "held", columns, primaryKey: "ID" },
  };
}

async function configurations(name: string): Promise<readonly string[]> {
  const kinds = ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"];
  const found = await Promise.all(kinds.map((kind) => kubectl.get(kind, name)));
  return kinds.filter((_, index) => found[index] !== undefined);
}

Deno.test("the webhooks are gone at once, also where a reconcile that runs holds up the end", async () => {
  await kubectl.apply(table([{ ID: "integer" }]));
  await condition(operator, "held", { type: "Ready", status: "True" });
  const lock = await holdLock(operator, "held", "ACCESS EXCLUSIVE");
  await kubectl.apply(table([{ ID: "integer" }, { NOTE: "text" }]));
  await eventually("the operator waits for the lock", async () => {
    const [row] = await operator.sql("SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted");
    return row?.["waiting"] === 1 || undefined;
  });
  // Its answer will never come.
  proxy?.freeze();
  await lock.release();

  const before = performance.now();
  const stopping = operator.stopOperator();
  await eventually(
    "both configurations are gone",
    async () => (await configurations("shutdown")).length === 0 || undefined,
  );
  const goneMs = performance.now() - before;
  await stopping;
  const endedMs = performance.now() - before;
  // A reconcile gets ten seconds to end.
  assertEquals([goneMs < 8_000, endedMs > 10_000], [true, true], `gone after ${goneMs} ms, ended after ${endedMs} ms`);
});

Deno.test("the webhooks are gone also when the operator ends with an error", async () => {
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const ports = ["--http-port", String(findFreePort()), "--webhook-port", String(findFreePort())];
  const command = parseCommandLine(["-q", "-n", namespace, "--instance", "thrower", ...ports], {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const thrown = new Error("the terminal is gone");
  const ready = Promise.withResolvers<void>();
  const ended = run(command.config, {
    cluster: { server, certificateAuthority, clientCertificate, clientKey },
    databaseUrl: operator.databaseUrl,
    embeddedCluster: true,
    onReady() {
      ready.resolve();
      throw thrown;
    },
  }, new AbortController().signal);
  ended.catch(() => {});
  await ready.promise;
  assertEquals(await assertRejects(() => ended), thrown);
  assertEquals(await configurations("thrower"), []);
});

Deno.test("a local run ends only when a cluster of somebody else has forgotten its webhooks", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tablewright-shutdown-" });
  // Longer than the end of an operator may take.
  await using api = startApiProxy(testbed, async ({ method, path }) => {
    if (method === "DELETE" && path.includes("webhookconfigurations")) await delay(2_000);
    return undefined;
  });
  const kubeconfig = `${folder}/kubeconfig`;
  await Deno.writeTextFile(kubeconfig, JSON.stringify(kubeconfigOf(api.server)));
  const port = findFreePort();
  const flags = ["--embedded-database", "--webhook-url", `https://127.0.0.1:${port}`, "--webhook-port", String(port)];
  const names = ["-n", namespace, "--instance", "local-run", "--http-port", String(findFreePort())];
  const command = parseCommandLine(["-q", ...flags, ...names], { KUBECONFIG: kubeconfig });
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const stop = new AbortController();
  const running = runLocally({ config: command.config, clone: folder, env: Deno.env.toObject() }, stop.signal);
  await Promise.race([
    running,
    eventually(
      "both configurations are there",
      async () => (await configurations("local-run")).length === 2 || undefined,
    ),
  ]);
  stop.abort();
  await running;
  assertEquals(await configurations("local-run"), []);
  await Deno.remove(await cloneDirectory(cacheRoot(), folder), { recursive: true });
  await Deno.remove(folder, { recursive: true });
});

function kubeconfigOf(server: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: {} }],
  };
}

Deno.test("the operator stops in order", async () => {
  await operator.close();
  proxy?.close();
});
