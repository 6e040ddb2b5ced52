import { assertEquals } from "@std/assert";
import type { ListOptions, WatchOptions } from "../client/client.ts";
import { KubeError } from "../client/kube_error.ts";
import { createFakeTiming, type FakeTiming } from "../fake_timing.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { Informer, type InformerSource } from "./informer.ts";

const type = { group: "kopf.demo", version: "v1", plural: "databasetables", kind: "DatabaseTable", namespaced: true };

/** An API server on which these namespaces may be listed, each with one object; `absent`: it does not serve the kind. */
function server(granted: Set<string>): InformerSource & { readonly lists: string[] } {
  const lists: string[] = [];
  const list = (_type: unknown, { namespace = "*" }: ListOptions = {}) => {
    lists.push(namespace);
    const refusal = new KubeError(`databasetables is forbidden in ${namespace}`, { status: 403, reason: "Forbidden" });
    if (granted.has("absent")) return Promise.reject(new KubeError("not found", { status: 404, reason: "NotFound" }));
    if (!granted.has(namespace)) return Promise.reject(refusal);
    const metadata = { namespace, name: "orders", uid: namespace, resourceVersion: "1", creationTimestamp: "" };
    return Promise.resolve({ items: [{ apiVersion: "v1", kind: "DatabaseTable", metadata }], resourceVersion: "1" });
  };
  async function* watch(_type: unknown, { signal }: WatchOptions) {
    yield { type: "BOOKMARK", object: { metadata: { resourceVersion: "2" } } };
    await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  }
  return { lists, list, watch } as unknown as ReturnType<typeof server>;
}

async function withInformer(
  { granted, namespaces }: { readonly granted: Set<string>; readonly namespaces: readonly string[] },
  test: (run: {
    readonly informer: Informer;
    readonly timing: FakeTiming;
    readonly lists: readonly string[];
    readonly lines: () => readonly string[];
  }) => Promise<void>,
): Promise<void> {
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const client = server(granted);
  const informer = new Informer({ client, type, namespaces, context: timing, logger, onChange: () => {} });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  const said = /forbidden|may be listed/;
  const lines = () =>
    logger.entries.map(({ level, message }) => `${level} ${message}`).filter((each) => said.test(each));
  await timing.tick(0);
  await test({ informer, timing, lists: client.lists, lines });
  stop.abort();
  await running;
  assertEquals(timing.pending(), 0, "no timer is left");
}

Deno.test("a namespace that may not be listed keeps nobody waiting for the others, and is served once it may", async () => {
  const granted = new Set(["a"]);
  await withInformer({ granted, namespaces: ["a", "b"] }, async ({ informer, timing, lists, lines }) => {
    await informer.whenSynced(new AbortController().signal);
    assertEquals([informer.state, informer.keys(), informer.forbidden], ["synced", ["a/orders"], ["b"]]);
    await timing.tick(10 * 60_000);
    assertEquals(lines(), ["warn databasetables is forbidden in b"], "said once");
    const tries = lists.filter((each) => each === "b").length;
    assertEquals(tries > 20 && tries < 60, true, `${tries} tries in ten minutes`);
    const { lastAttempt, lastActivity } = informer;
    assertEquals(
      timing.uptime() - Math.min(lastAttempt, lastActivity) <= 70_000,
      true,
      "it is alive, and hears refusals",
    );
    granted.add("b");
    await timing.tick(30_000);
    assertEquals([informer.state, informer.keys(), informer.forbidden], ["synced", ["a/orders", "b/orders"], []]);
    assertEquals(lines().at(-1), "info it may be listed now");
  });
});

for (const namespaces of [[], ["a", "b"]]) {
  Deno.test(`an informer that may list nothing of ${namespaces.join() || "all namespaces"} is forbidden, and not synced`, async () => {
    const granted = new Set<string>();
    await withInformer({ granted, namespaces }, async ({ informer, timing }) => {
      let isSynced = false;
      const synced = informer.whenSynced(new AbortController().signal).then(() => isSynced = true);
      await timing.tick(60_000);
      assertEquals([informer.state, informer.synced, isSynced], ["forbidden", false, false]);
      for (const each of ["*", "a", "b"]) granted.add(each);
      await timing.tick(30_000);
      await synced;
      assertEquals([informer.state, informer.forbidden], ["synced", []]);
    });
  });
}

Deno.test("a kind that is absent is no more forbidden", async () => {
  const granted = new Set<string>();
  await withInformer({ granted, namespaces: ["a"] }, async ({ informer, timing }) => {
    assertEquals(informer.state, "forbidden");
    granted.add("absent");
    await timing.tick(2_000);
    assertEquals([informer.state, informer.forbidden], ["absent", []]);
  });
});
