import { assert, assertEquals } from "@std/assert";
import { KubeClient } from "../../kube/client/client.ts";
import { applyCustomResourceDefinition } from "../../kube/objects/crd.ts";
import { Informer } from "../../kube/watch/informer.ts";
import { memoryLogger, silentLogger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import { startTestCluster, type TestCluster } from "../harness/kube_cluster.ts";
import { eventually } from "../harness/wait.ts";
import { type FaultProxy, startFaultProxy } from "../harness/tcp_fault_proxy.ts";

const things = { group: "kube-test.example", version: "v1", plural: "things", kind: "Thing", namespaced: true };
const crd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.kube-test.example" },
  spec: {
    group: "kube-test.example",
    scope: "Namespaced",
    names: { kind: "Thing", plural: "things", singular: "thing" },
    versions: [{
      name: "v1",
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }],
  },
};

function makeThing(name: string, spec: unknown = {}) {
  return { apiVersion: "kube-test.example/v1", kind: "Thing", metadata: { name, namespace: "default" }, spec };
}

interface Run {
  readonly cluster: TestCluster;
  readonly proxy: FaultProxy;
  readonly informer: Informer;
  readonly changes: string[];
  readonly messages: () => string[];
}

Deno.test("Informer against a real API server, through a proxy that fails", async (t) => {
  const cluster = await startTestCluster();
  const proxy = startFaultProxy(Number(new URL(cluster.config.server).port));
  const client = new KubeClient({ ...cluster.config, server: `https://127.0.0.1:${proxy.port}` });
  const changes: string[] = [];
  const logger = memoryLogger();
  const informer = new Informer({
    client,
    type: things,
    namespaces: [],
    context: systemTiming,
    onChange: (key) => changes.push(key),
    logger,
    absentPollMs: 50,
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  const run = { cluster, proxy, informer, changes, messages: () => logger.entries.map((entry) => entry.message) };
  try {
    await t.step("waits for an absent CRD without blocking, and sees its kind appear", () => seesCrdAppear(run));
    await t.step("knows all of 1,100 objects, three pages", () => knowsManyObjects(run));
    await t.step("misses nothing while its connection is cut each 300 ms", () => survivesCuts(run));
    await t.step("misses nothing across a restart of the API server", () => survivesRestart(run));
    await t.step("forgets its objects when the CRD is deleted", () => seesCrdGo(run));
  } finally {
    stop.abort();
    await running;
    client.close();
    proxy.close();
    await cluster.stop();
  }
});

async function seesCrdAppear({ cluster, informer }: Run): Promise<void> {
  const { signal } = new AbortController();
  await informer.whenSynced(signal);
  assertEquals(informer.state, "absent");
  const context = { client: cluster.client, timing: systemTiming, logger: silentLogger };
  assertEquals(await applyCustomResourceDefinition(context, crd, signal), "applied");
  await cluster.client.create(things, makeThing("first"));
  await eventually("the first object is known", () => informer.get("default/first") !== undefined);
  assert(informer.synced);
  assertEquals("managedFields" in (informer.get("default/first")?.metadata ?? {}), false);
}

async function knowsManyObjects({ cluster, informer }: Run): Promise<void> {
  for (let from = 0; from < 1_100; from += 50) {
    const names = Array.from({ length: 50 }, (_, index) => `many-${from + index}`);
    await Promise.all(names.map((name) => cluster.client.create(things, makeThing(name))));
  }
  await eventually("all are known by the watch", () => informer.size === 1_101);

  const second = new Informer({
    client: cluster.client,
    type: things,
    namespaces: ["default"],
    context: systemTiming,
    onChange: () => {},
  });
  const stop = new AbortController();
  const running = second.run(stop.signal);
  await second.whenSynced(stop.signal);
  assertEquals(second.size, 1_101, "all are known by the list");
  stop.abort();
  await running;
}

async function survivesCuts({ cluster, proxy, informer }: Run): Promise<void> {
  const cutting = setInterval(() => proxy.cut(), 300);
  try {
    for (let index = 0; index < 100; index++) {
      await cluster.client.create(things, makeThing(`cut-${index}`));
      await cluster.client.delete(things, { namespace: "default", name: `many-${index}` });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await eventually("the last object is known", () => informer.get("default/cut-99") !== undefined);
  } finally {
    clearInterval(cutting);
  }
  // The last cut may still be waited out.
  await cluster.client.create(things, makeThing("settled"));
  await eventually("it watches again", () => informer.get("default/settled") !== undefined);
  await eventually("the store is what the API server has", () => sameAsServer(cluster, informer));
}

/** A restarted API server knows no old versions: the informer gets 410 and finds out by itself what happened meanwhile. */
async function survivesRestart({ cluster, proxy, informer, changes }: Run): Promise<void> {
  const before = informer.get("default/many-500")?.metadata.uid;
  proxy.freeze();
  await cluster.client.delete(things, { namespace: "default", name: "many-500" });
  await cluster.client.create(things, makeThing("many-500"));
  await cluster.client.delete(things, { namespace: "default", name: "many-501" });
  changes.length = 0;
  await cluster.stopApiServer();
  proxy.cut();
  await cluster.startApiServer();
  const ready = Date.now();
  await eventually("a deletion while away is seen", () => informer.get("default/many-501") === undefined);
  await eventually("the store is what the API server has", () => sameAsServer(cluster, informer));
  assert(Date.now() - ready < 30_000);
  assert(informer.get("default/many-500")?.metadata.uid !== before, "an object made again is another");
  assert(changes.includes("default/many-500") && changes.includes("default/many-501"), changes.join());
}

async function seesCrdGo({ cluster, informer, messages }: Run): Promise<void> {
  const definitions = {
    ...things,
    group: "apiextensions.k8s.io",
    plural: "customresourcedefinitions",
    namespaced: false,
  };
  await cluster.client.delete(definitions, { name: "things.kube-test.example" });
  await eventually("the kind is absent", () => informer.state === "absent" && informer.size === 0);
  assertEquals(messages().filter((message) => message.includes("bug")), []);
}

async function sameAsServer(cluster: TestCluster, informer: Informer): Promise<boolean> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page = await cluster.client.list(things, { limit: 500, continue: token });
    names.push(
      ...page.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`),
    );
    token = page.continue;
  } while (token !== undefined);
  const known = informer.keys().map((key) => `${key} ${informer.get(key)?.metadata.resourceVersion}`);
  return names.toSorted().join() === known.toSorted().join();
}
