import { assertEquals } from "@std/assert";
import { parseCommandLine } from "../../handlers/config.ts";
import { findFreePort } from "../../local/ports.ts";
import { run } from "../../main.ts";
import { startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("namespaces");
const { kubectl, testbed } = operator;
await operator.stopOperator();

/** An operator whose flags name namespaces that may not exist. */
function start(flags: readonly string[], { embeddedCluster }: { readonly embeddedCluster: boolean }) {
  const port = findFreePort();
  const url = embeddedCluster ? [] : ["--webhook-url", `https://127.0.0.1:${port}`];
  const ports = ["--webhook-port", String(port), "--http-port", String(findFreePort()), ...url];
  const command = parseCommandLine(["-q", "--instance", "namespaces-2", ...ports, ...flags], {});
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey };
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const connections = { cluster, databaseUrl: operator.databaseUrl, embeddedCluster, onReady: ready.resolve };
  const ended = run(command.config, connections, stop.signal);
  return {
    ready: Promise.race([ready.promise, ended]),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function failurePolicy(): Promise<string | undefined> {
  const configuration = await kubectl.get("validatingwebhookconfiguration", "namespaces-2");
  return (configuration?.["webhooks"] as readonly { failurePolicy: string }[] | undefined)?.[0]?.failurePolicy;
}

function table(namespace: string): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "late", namespace },
    spec: { tableName: `late_${namespace.replaceAll("-", "_")}`, columns: [{ ID: "integer" }], primaryKey: "ID" },
  };
}

Deno.test("a namespace that does not exist holds nobody up: another one of the list proves the webhooks", async () => {
  await using other = start(["-n", "not-there", "-n", operator.namespace], { embeddedCluster: false });
  await other.ready;
  assertEquals(await failurePolicy(), "Fail");
});

Deno.test("the operator is ready without any of its namespaces, and serves one as soon as it exists", async () => {
  await using other = start(["-n", "later"], { embeddedCluster: false });
  await other.ready;
  await kubectl.ok(["create", "namespace", "later"]);
  await eventually("the webhooks fail closed", async () => await failurePolicy() === "Fail" || undefined);
  await kubectl.ok(["apply", "-n", "later", "-f", "-"], JSON.stringify(table("later")));
  await kubectl.ok(["wait", "-n", "later", "--for=condition=Ready", "databasetable/late", "--timeout=30s"]);
  await kubectl.ok(["delete", "-n", "later", "databasetable/late", "--timeout=30s"]);
});

Deno.test("in the embedded cluster the namespace is made", async () => {
  await using other = start(["-n", "made"], { embeddedCluster: true });
  await other.ready;
  assertEquals(await failurePolicy(), "Fail");
  await kubectl.ok(["get", "namespace", "made"]);
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});
