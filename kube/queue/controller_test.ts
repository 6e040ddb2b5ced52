import { assert, assertEquals } from "@std/assert";
import { Controller, type ControllerOptions, decideRetry, type Reconcile } from "./controller.ts";
import { createFakeTiming, type FakeTiming } from "../fake_timing.ts";
import { KubeError } from "../client/kube_error.ts";
import { type MemoryEntry, memoryLogger } from "../telemetry/logger.ts";

interface Run {
  readonly controller: Controller;
  readonly timing: FakeTiming;
  /** Without the line that each reconcile ends with. */
  readonly entries: () => readonly MemoryEntry[];
  readonly stop: () => Promise<void>;
}

async function withController(
  reconcile: Reconcile,
  test: (run: Run) => Promise<void>,
  options: Partial<ControllerOptions> = {},
): Promise<void> {
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const controller = new Controller({ name: "test", reconcile, workers: 2, timing, logger, ...options });
  const stopper = new AbortController();
  let ended = false;
  const running = controller.run(stopper.signal).then(() => ended = true);
  const stop = async () => {
    stopper.abort();
    for (let waited = 0; !ended && waited < 60; waited++) await timing.tick(1_000);
    await running;
  };
  const entries = () => logger.entries.filter(({ message }) => message !== "Reconciled");
  await test({ controller, timing, entries, stop });
  await stop();
  assertEquals(timing.pending(), 0, "no timer is left");
}

const conflict = new KubeError("the object has been modified", { status: 409, reason: "Conflict" });
const missing = new KubeError("not found", { status: 404, reason: "NotFound" });
const busy = new KubeError("slow down", { status: 429, reason: "TooManyRequests", retryAfterMs: 3_000 });
const down = new KubeError("Cannot reach the API server", { status: 0, reason: "Unreachable" });

Deno.test("decideRetry() tells a gone object, a conflict, a given time, an outside failure and a bug apart", () => {
  class Outside extends Error {}
  assertEquals(decideRetry(missing, { isGone: true }), { kind: "drop" });
  assertEquals(decideRetry(missing), { kind: "missing" });
  assertEquals(decideRetry(conflict), { kind: "conflict" });
  assertEquals(decideRetry(busy), { kind: "after", delayMs: 3_000 });
  assertEquals(decideRetry(down), { kind: "backoff" });
  assertEquals(decideRetry(new TypeError("x is undefined")), { kind: "bug" });
  assertEquals(decideRetry("a thrown string"), { kind: "bug" });
  assertEquals(decideRetry(new Outside(), { isExpected: (error) => error instanceof Outside }), { kind: "backoff" });
  assertEquals(decideRetry(Object.assign(new Outside(), { retryAfterMs: 300_000 })), {
    kind: "after",
    delayMs: 300_000,
  });
});

Deno.test("Controller reconciles at once what a reconcile wakes, whatever that one waits for", async () => {
  const seen: string[] = [];
  const reconcile: Reconcile = (key) => {
    seen.push(key);
    return Promise.resolve(key === "made" ? { wakes: ["waiting"] } : { requeueAfterMs: 60_000 });
  };
  await withController(reconcile, async ({ controller, timing }) => {
    controller.enqueue("waiting");
    await timing.tick(1);
    controller.enqueue("made");
    await timing.tick(1);
    assertEquals(seen, ["waiting", "made", "waiting"]);
  });
});

Deno.test("Controller reconciles keys in parallel up to its workers and never one key twice at once", async () => {
  const running = new Map<string, number>();
  let most = 0;
  const waiting: (() => void)[] = [];
  const reconcile: Reconcile = async (key) => {
    running.set(key, (running.get(key) ?? 0) + 1);
    most = Math.max(most, running.size);
    assertEquals(running.get(key), 1);
    await new Promise<void>((resolve) => waiting.push(resolve));
    running.delete(key);
    return {};
  };
  await withController(reconcile, async ({ controller, timing }) => {
    for (const key of ["a", "a", "b", "c"]) controller.enqueue(key);
    await timing.tick(0);
    controller.enqueue("a");
    assertEquals([...running.keys()], ["a", "b"]);
    for (let round = 0; round < 4; round++) {
      waiting.splice(0).forEach((resolve) => resolve());
      await timing.tick(0);
    }
    assertEquals([running.size, most], [0, 2]);
  });
});

Deno.test("Controller comes back after requeueAfterMs", async () => {
  let runs = 0;
  await withController(async () => (runs++, { requeueAfterMs: 30_000 }), async ({ controller, timing }) => {
    controller.enqueue("a");
    await timing.tick(29_999);
    assertEquals(runs, 1);
    await timing.tick(1);
    assertEquals(runs, 2);
  });
});

Deno.test("Controller retries a bug with backoff, logs its stack, and forgets it after success", async () => {
  let runs = 0;
  const reconcile: Reconcile = async () => {
    if (++runs <= 3) throw new TypeError("x is undefined");
    return {};
  };
  await withController(reconcile, async ({ controller, timing, entries }) => {
    controller.enqueue("a");
    await timing.tick(1_000);
    assertEquals(runs, 4);
    assertEquals(entries().map(({ level, properties }) => [level, properties.retries]), [["error", 0], ["error", 1], [
      "error",
      2,
    ]]);
    assert(String(entries()[0]?.properties.stack).includes("controller_test.ts"));
    controller.enqueue("a");
    await timing.tick(0);
    assertEquals(runs, 5);
  });
});

Deno.test("Controller requeues a conflict quickly and quietly, honours Retry-After, and drops what is known to be gone", async () => {
  const errors = [conflict, busy, missing];
  let runs = 0;
  const reconcile: Reconcile = async () => {
    const error = errors[runs++];
    if (error !== undefined) throw error;
    return {};
  };
  await withController(reconcile, async ({ controller, timing, entries }) => {
    controller.enqueue("a");
    await timing.tick(10);
    assertEquals([runs, entries().map((entry) => entry.level)], [2, ["debug", "warn"]]);
    await timing.tick(2_980);
    assertEquals(runs, 2);
    await timing.tick(20);
    assertEquals(runs, 3);
    await timing.tick(600_000);
    assertEquals(runs, 3);
  }, { isGone: () => true });
});

Deno.test("Controller tries an object again although something else is not there: quietly after a race, then as a failure", async () => {
  let runs = 0;
  const reconcile: Reconcile = () =>
    ++runs <= 3 ? Promise.reject(missing) : Promise.resolve({ requeueAfterMs: 60_000 });
  await withController(reconcile, async ({ controller, timing, entries }) => {
    controller.enqueue("a");
    await timing.tick(10 * 60_000);
    assertEquals([runs, entries().map(({ level }) => level)], [13, ["debug", "warn", "warn"]]);
  });
});

for (const [change, wanted] of [["other", 9], ["spec", 57]] as const) {
  for (const echoMs of [0, 1]) {
    Deno.test(`Controller runs ${wanted} times in a second if each failure comes back as "${change}" after ${echoMs} ms`, async () => {
      let runs = 0;
      let echo = () => {};
      const reconcile: Reconcile = () => {
        if (++runs < 50) echo();
        return Promise.reject(down);
      };
      await withController(reconcile, async ({ controller, timing }) => {
        const enqueue = () => controller.enqueue("a", change);
        // Before it throws, or while its retry is waited for: the first of 4, 8, 15, 30, … ms.
        echo = () => echoMs === 0 ? enqueue() : void timing.setTimer(enqueue, echoMs);
        controller.enqueue("a");
        await timing.tick(1_000);
        assertEquals(runs, wanted);
      });
    });
  }
}

Deno.test("Controller aborts a reconcile that takes too long and retries it", async () => {
  let runs = 0;
  const reconcile: Reconcile = (_key, signal) => {
    if (runs++ > 0) return Promise.resolve({});
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  await withController(reconcile, async ({ controller, timing, entries }) => {
    controller.enqueue("a");
    await timing.tick(5_000);
    await timing.tick(10);
    assertEquals(runs, 2);
    assertEquals(entries().map((entry) => entry.level), ["warn", "warn"]);
  }, { reconcileTimeoutMs: 5_000 });
});

Deno.test("Controller aborts no reconcile that paused its deadline; behind that the time begins again", async () => {
  const events: string[] = [];
  let timingOf: FakeTiming = createFakeTiming();
  const reconcile: Reconcile = async (_key, signal, deadline) => {
    const resume = deadline.pause(Infinity);
    assertEquals(deadline.since, undefined);
    await timingOf.delay(60_000);
    events.push(signal.aborted ? "aborted" : "built");
    resume?.();
    await timingOf.delay(4_000);
    events.push(signal.aborted ? "aborted" : "in time");
    await timingOf.delay(2_000);
    events.push(signal.aborted ? "aborted" : "in time");
    return {};
  };
  await withController(reconcile, async ({ controller, timing }) => {
    timingOf = timing;
    controller.enqueue("a");
    await timing.tick(66_000);
    assertEquals(events, ["built", "in time", "aborted"]);
  }, { reconcileTimeoutMs: 5_000 });
});

Deno.test("Controller lets a running reconcile end at shutdown and starts no other", async () => {
  const done: string[] = [];
  const reconcile: Reconcile = async (key) => {
    await timingOf.delay(3_000);
    done.push(key);
    return { requeueAfterMs: 1 };
  };
  let timingOf: FakeTiming = createFakeTiming();
  await withController(reconcile, async ({ controller, timing, stop }) => {
    timingOf = timing;
    for (const key of ["a", "b", "c"]) controller.enqueue(key);
    await timing.tick(0);
    await stop();
    assertEquals(done, ["a", "b"]);
  });
});

Deno.test("Controller aborts what still runs at the drain deadline and ends even if that is ignored", async () => {
  const aborted: string[] = [];
  const reconcile: Reconcile = (key, signal) =>
    new Promise(() => signal.addEventListener("abort", () => aborted.push(key)));
  await withController(reconcile, async ({ controller, timing, entries, stop }) => {
    controller.enqueue("a");
    await timing.tick(0);
    await stop();
    assertEquals(aborted, ["a"]);
    assertEquals(entries().at(-1)?.message, "Reconciles ignore their signal and are abandoned");
    await timing.tick(200_000);
  }, { drainTimeoutMs: 2_000 });
});

Deno.test("Controller aborts what runs at once when it is forbidden, and says whether all of it ended", async () => {
  for (const obeys of [true, false]) {
    const timing = createFakeTiming();
    const release = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    const reconcile: Reconcile = async (_key, signal) => {
      signal.addEventListener("abort", () => {
        reasons.push(signal.reason);
        if (obeys) release.resolve();
      });
      await release.promise;
      return {};
    };
    const controller = new Controller({ name: "test", reconcile, workers: 1, timing, logger: memoryLogger() });
    const forbidden = new AbortController();
    const running = controller.run(new AbortController().signal, forbidden.signal);
    controller.enqueue("a");
    controller.enqueue("b");
    await timing.tick(0);
    forbidden.abort("lost");
    await timing.tick(1_000);
    assertEquals([await running, reasons], [obeys, ["lost"]]);
    release.resolve();
    await timing.tick(0);
    assertEquals(timing.pending(), 0);
  }
});

/** Reconciles that take 10 ms each, except those of poison keys, which do what they do. */
function poisoned(poison: Reconcile, timing: () => FakeTiming): { reconcile: Reconcile; healthy: string[] } {
  const healthy: string[] = [];
  const reconcile: Reconcile = async (key, signal, deadline) => {
    if (key.startsWith("poison")) return await poison(key, signal, deadline);
    await timing().delay(10);
    healthy.push(key);
    return {};
  };
  return { reconcile, healthy };
}

for (
  const [what, poison] of [
    ["fail at once", () => Promise.reject(new TypeError("x is undefined"))],
    [
      "hang until their deadline",
      (_key, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ],
  ] as readonly (readonly [string, Reconcile])[]
) {
  Deno.test(`a hundred objects that ${what} leave at least half of ten workers to the others`, async () => {
    let clock: FakeTiming = createFakeTiming();
    const { reconcile, healthy } = poisoned(poison, () => clock);
    await withController(reconcile, async ({ controller, timing }) => {
      clock = timing;
      for (let index = 0; index < 100; index++) controller.enqueue(`poison-${index}`);
      // Each of them has failed once and waits for its retry, or is in it.
      await timing.tick(60_000);
      for (let second = 0; second < 10; second++) {
        healthy.length = 0;
        for (let index = 0; index < 500; index++) controller.enqueue(`healthy-${index}`);
        // Half of ten workers do 500 in a second.
        await timing.tick(1_000);
        assertEquals(healthy.length, 500);
      }
    }, { workers: 10, reconcileTimeoutMs: 5_000 });
  });
}

Deno.test("a changed object is tried at once, and its failures count anew", async () => {
  let runs = 0;
  const reconcile: Reconcile = () => (runs++, Promise.reject(down));
  await withController(reconcile, async ({ controller, timing, entries }) => {
    controller.enqueue("d/a");
    await timing.tick(20 * 60_000);
    const before = runs;
    controller.enqueue("d/a", "spec");
    await timing.tick(1);
    assertEquals(runs, before + 1);
    await timing.tick(5);
    assertEquals(runs, before + 2, "the first retry comes after 5 ms");
    assertEquals(entries().at(-2)?.properties.retries, 0);
  });
});

Deno.test("Controller reconciles what somebody changed before a resync of 10,000", async () => {
  const order: string[] = [];
  await withController(async (key) => (order.push(key), {}), async ({ controller, timing }) => {
    for (let index = 0; index < 10_000; index++) controller.enqueue(`d/old-${index}`, "resync");
    controller.enqueue("d/new");
    await timing.tick(0);
    assertEquals(order.length, 10_001);
    assert(order.indexOf("d/new") < 5, `it came as number ${order.indexOf("d/new")}`);
  });
});

Deno.test("each line of a reconcile names its object and its run, also lines that are written deep in it", async () => {
  const logger = memoryLogger();
  const deep = logger.child({ part: "deep" });
  const reconcile: Reconcile = async () => {
    await Promise.resolve();
    deep.info("inside");
    throw down;
  };
  const describe = (key: string) => ({ uid: `uid-of-${key}` });
  await withController(reconcile, async ({ controller, timing }) => {
    for (const key of ["d/a", "cluster-scoped"]) controller.enqueue(key);
    await timing.tick(0);
    const lines = logger.entries.map(({ message, properties }) => {
      const { namespace, name, uid, reconcileID } = properties;
      assert(/^[0-9a-f-]{36}$/.test(String(reconcileID)));
      return [message, namespace, name, uid];
    });
    assertEquals(lines.toSorted(), [
      ["Cannot reach the API server", undefined, "cluster-scoped", "uid-of-cluster-scoped"],
      ["Cannot reach the API server", "d", "a", "uid-of-d/a"],
      ["Reconciled", undefined, "cluster-scoped", "uid-of-cluster-scoped"],
      ["Reconciled", "d", "a", "uid-of-d/a"],
      ["inside", undefined, "cluster-scoped", "uid-of-cluster-scoped"],
      ["inside", "d", "a", "uid-of-d/a"],
    ]);
    const runs = logger.entries.map(({ properties }) => properties.reconcileID);
    assertEquals(new Set(runs).size, 2, "one for each run");
    logger.info("outside");
    assertEquals(logger.entries.at(-1)?.properties, {});
  }, { describe, logger });
});
