import { assert, assertEquals } from "@std/assert";
import { KubeError } from "../client/kube_error.ts";
import { createFakeTiming, type FakeTiming } from "../fake_timing.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { Controller, type Reconcile, type ReconcileResult } from "./controller.ts";

const conflict = new KubeError("the object has been modified", { status: 409, reason: "Conflict" });
const missing = new KubeError(`networkpolicies "db" not found`, { status: 404, reason: "NotFound" });
const down = new KubeError("Cannot reach the API server", { status: 0, reason: "Unreachable" });

function start(reconcile: (timing: FakeTiming) => Reconcile, workers: number) {
  const timing = createFakeTiming();
  const options = { name: "test", workers, timing, logger: memoryLogger(), reconcile: reconcile(timing) };
  const controller = new Controller(options);
  void controller.run(new AbortController().signal);
  return { controller, timing };
}

const again: readonly (readonly [string, () => Promise<ReconcileResult>])[] = [
  ["met somebody else's write", () => Promise.reject(conflict)],
  ["met a deletion", () => Promise.reject(missing)],
  ["found a lock held", () => Promise.resolve({ requeueAfterMs: 100 })],
];

for (const [what, first] of again) {
  Deno.test(`a changed object that ${what} comes again before a resync of 10,000`, async () => {
    const order: string[] = [];
    const { controller, timing } = start((timing) => async (key) => {
      order.push(key);
      await timing.delay(20);
      return key === "new" && order.indexOf("new") === order.lastIndexOf("new") ? await first() : {};
    }, 10);
    for (let index = 0; index < 10_000; index++) controller.enqueue(`old-${index}`, "resync");
    controller.enqueue("new");
    await timing.tick(200);
    const [once, twice] = [order.indexOf("new"), order.lastIndexOf("new")];
    assert(once !== twice && twice < 100, `number ${once}, then number ${twice}`);
  });
}

Deno.test("an object of a resync that met somebody else's write, and one that only looks again later, overtake nobody", async () => {
  const order: string[] = [];
  const { controller, timing } = start((timing) => async (key) => {
    order.push(key);
    await timing.delay(20);
    if (key === "met" && order.indexOf("met") === order.lastIndexOf("met")) throw conflict;
    return key === "looks" ? { requeueAfterMs: 60_000 } : {};
  }, 1);
  controller.enqueue("looks");
  controller.enqueue("met", "resync");
  await timing.tick(59_000);
  order.length = 0;
  for (let index = 0; index < 100; index++) controller.enqueue(`old-${index}`, "resync");
  await timing.tick(2_100);
  assertEquals([order.length, order.indexOf("looks")], [101, 100]);
});

Deno.test("a changed object that met somebody else's write comes again as changed, also when a resync met it meanwhile", async () => {
  const order: string[] = [];
  const { controller, timing } = start((timing) => async (key) => {
    order.push(key);
    await timing.delay(20);
    if (key === "new" && order.indexOf("new") === order.lastIndexOf("new")) throw conflict;
    return {};
  }, 1);
  controller.enqueue("new");
  await timing.tick(10);
  for (let index = 0; index < 100; index++) controller.enqueue(`old-${index}`, "resync");
  controller.enqueue("new", "resync");
  await timing.tick(200);
  assert(order.lastIndexOf("new") > 0 && order.lastIndexOf("new") < 5, order.join());
});

Deno.test("ten reconciles that take an hour leave workers to the others, though each has a limit", async () => {
  const begun: string[] = [];
  const { controller, timing } = start((timing) => async (key, signal, deadline) => {
    begun.push(key);
    if (key === "healthy") return {};
    const resume = deadline.pause(3_600_000);
    if (resume === undefined) return { isPostponed: true };
    await timing.delay(3_000_000, signal);
    resume();
    return {};
  }, 10);
  for (let index = 0; index < 10; index++) controller.enqueue(`rewrite-${index}`);
  await timing.tick(0);
  controller.enqueue("healthy");
  await timing.tick(0);
  assertEquals(begun.at(-1), "healthy");
  // Four at a time.
  await timing.tick(3 * 3_000_000);
  assertEquals(new Set(begun).size, 11);
  assertEquals(controller.backlog, 0);
});

Deno.test("an event of an owned object overtakes a resync, brings a failed owner within a second, and keeps its failures", async () => {
  const order: string[] = [];
  const { controller, timing } = start((timing) => async (key) => {
    order.push(key);
    await timing.delay(1);
    if (key === "failing") throw down;
    return {};
  }, 1);
  controller.enqueue("failing");
  await timing.tick(20 * 60_000);
  const runs = order.length;
  controller.enqueue("failing", "owned");
  await timing.tick(999);
  assertEquals(order.length, runs, "it still waits");
  await timing.tick(2);
  assertEquals(order.length, runs + 1);
  await timing.tick(60_000);
  assertEquals(order.length, runs + 1, "its next wait is as long as before");
  for (let index = 0; index < 100; index++) controller.enqueue(`old-${index}`, "resync");
  controller.enqueue("owner", "owned");
  order.length = 0;
  await timing.tick(10);
  assert(order.indexOf("owner") >= 0 && order.indexOf("owner") < 5, order.join());
});

Deno.test("a reconcile that fails and whose own writes come back as events of owned objects runs once a second, not at once", async () => {
  let runs = 0;
  const { controller, timing } = start(() => (key) => {
    runs++;
    controller.enqueue(key, "owned");
    return Promise.reject(down);
  }, 1);
  controller.enqueue("a");
  await timing.tick(60_000);
  runs = 0;
  await timing.tick(60_000);
  assertEquals(runs, 60);
});

Deno.test("what was postponed comes back, and what was woken comes, before a resync if somebody changed it", async () => {
  const order: string[] = [];
  const { controller, timing } = start((timing) => async (key) => {
    order.push(key);
    await timing.delay(20);
    if (key === "postponed" && order.indexOf(key) === order.lastIndexOf(key)) return { isPostponed: true };
    return key === "made" ? { wakes: ["waiting"] } : {};
  }, 1);
  for (const key of ["postponed", "made"]) controller.enqueue(key);
  for (let index = 0; index < 1_000; index++) controller.enqueue(`old-${index}`, "resync");
  await timing.tick(30);
  controller.bringBack("postponed");
  controller.bringBack("nobody waits for it");
  await timing.tick(300);
  assert(order.lastIndexOf("postponed") > order.indexOf("made"), order.join());
  assert(order.includes("waiting"), order.join());
  assertEquals(order.includes("nobody waits for it"), false);
});
