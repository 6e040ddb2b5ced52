import { assertEquals } from "@std/assert";
import { KubeError } from "../client/kube_error.ts";
import { createFakeTiming } from "../fake_timing.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { Controller, type Reconcile } from "./controller.ts";

const down = new KubeError("Cannot reach the API server", { status: 0, reason: "Unreachable" });

/** A controller at work. */
function start(reconcile: Reconcile, workers: number) {
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const controller = new Controller({ name: "test", reconcile, workers, timing, logger });
  void controller.run(new AbortController().signal);
  return { controller, timing, logger };
}

Deno.test("Controller keeps counting the failures of what was postponed between them", async () => {
  const turns: boolean[] = [];
  const reconcile: Reconcile = () => {
    turns.push(turns.length % 2 === 0);
    return turns.at(-1) === true ? Promise.reject(down) : Promise.resolve({ isPostponed: true });
  };
  const { controller, timing, logger } = start(reconcile, 2);
  controller.enqueue("a");
  for (let round = 0; round < 4; round++) {
    await timing.tick(60_000);
    controller.bringBack("a");
    await timing.tick(0);
  }
  const failures = logger.entries.filter(({ message }) => message === down.message);
  assertEquals(failures.map(({ properties }) => properties.retries), [0, 1, 2, 3, 4]);
});

Deno.test("Controller lets no more keys that failed work at once because they were brought back", async () => {
  const working = new Set<string>();
  const failed = new Set<string>();
  const reconcile: Reconcile = (key) => {
    if (!failed.has(key)) return Promise.reject((failed.add(key), down));
    working.add(key);
    return new Promise(() => {});
  };
  const keys = ["a", "b", "c", "d"];
  const { controller, timing } = start(reconcile, 4);
  for (const key of keys) controller.enqueue(key);
  await timing.tick(0);
  for (const key of keys) controller.bringBack(key);
  await timing.tick(0);
  assertEquals(working.size, 2);
});

Deno.test("a hundred reconciles that take for ever leave workers to the others, and each gets its turn", async () => {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const reconcile: Reconcile = async (key, _signal, deadline) => {
    if (key === "healthy") return (begun.push(key), {});
    const resume = deadline.pause(Infinity);
    if (resume === undefined) return { isPostponed: true };
    begun.push(key);
    await new Promise<void>((resolve) => ends.set(key, resolve));
    resume();
    return {};
  };
  const { controller, timing } = start(reconcile, 10);
  for (let index = 0; index < 100; index++) controller.enqueue(`build-${index}`);
  await timing.tick(60 * 60_000);
  assertEquals(begun, ["build-0", "build-1", "build-2", "build-3"], "the deadline aborts nobody");
  controller.enqueue("healthy");
  await timing.tick(0);
  assertEquals(begun.splice(0).at(-1), "healthy");
  for (let index = 0; index < 100; index++) {
    ends.get(`build-${index}`)?.();
    await timing.tick(0);
  }
  assertEquals(begun, Array.from({ length: 96 }, (_, index) => `build-${index + 4}`));
});

Deno.test("Controller offers the turn of one that does not take it to the next", async () => {
  const begun: string[] = [];
  const end = Promise.withResolvers<void>();
  let isGone = false;
  const reconcile: Reconcile = async (key, _signal, deadline) => {
    if (key === "gone" && isGone) return {};
    const resume = deadline.pause(Infinity);
    if (resume === undefined) return { isPostponed: true };
    begun.push(key);
    await end.promise;
    resume();
    return {};
  };
  const { controller, timing } = start(reconcile, 2);
  for (const key of ["first", "gone", "last"]) controller.enqueue(key);
  await timing.tick(0);
  isGone = true;
  end.resolve();
  await timing.tick(0);
  assertEquals(begun, ["first", "last"]);
});
