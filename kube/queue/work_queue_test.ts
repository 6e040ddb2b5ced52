import { assert, assertEquals } from "@std/assert";
import { createFakeTiming } from "../fake_timing.ts";
import { WorkQueue } from "./work_queue.ts";

Deno.test("WorkQueue hands a key out once, however often it was added, in order", async () => {
  const queue = new WorkQueue(createFakeTiming());
  for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);

  assertEquals([await queue.get(), await queue.get(), await queue.get()], ["a", "b", "c"]);
  assertEquals(queue.length, 0);
});

Deno.test("WorkQueue never hands a key out twice at once and brings it again after done()", async () => {
  const queue = new WorkQueue(createFakeTiming());
  queue.add("a");
  assertEquals(await queue.get(), "a");
  queue.add("a");
  queue.add("a");
  assertEquals(queue.length, 0);

  queue.done("a");

  assertEquals(await queue.get(), "a");
  queue.done("a");
  assertEquals(queue.size, 0);
});

Deno.test("WorkQueue wakes a taker that was waiting", async () => {
  const queue = new WorkQueue(createFakeTiming());
  const taken = queue.get();
  queue.add("a");
  assertEquals(await taken, "a");
});

Deno.test("addAfter() lets the earlier deadline win", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.addAfter("a", 1000);
  queue.addAfter("a", 100);
  queue.addAfter("a", 5000);

  await timing.tick(99);
  assertEquals(queue.length, 0);
  await timing.tick(1);
  assertEquals(await queue.get(), "a");
  queue.done("a");
  await timing.tick(10_000);
  assertEquals(queue.length, 0);
  assertEquals(timing.pending(), 0);
});

Deno.test("a wall clock that is set forward or back moves no deadline", async () => {
  for (const jumpMs of [3_600_000, -3_600_000]) {
    const timing = createFakeTiming();
    const queue = new WorkQueue(timing);
    queue.addAfter("a", 5_000);
    timing.jump(jumpMs);
    queue.addAfter("a", 100);
    queue.addAfter("a", 60_000);
    await timing.tick(100);
    assertEquals(queue.length, 1);
    assertEquals(timing.pending(), 0);
  }
});

Deno.test("add() takes the place of a pending deadline", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.addAfter("a", 1000);
  queue.add("a");
  queue.addAfter("a", 10);

  assertEquals(await queue.get(), "a");
  assertEquals(timing.pending(), 0);
});

Deno.test("a deadline that falls due while the key is in work brings it after done()", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.add("a");
  await queue.get();
  queue.addAfter("a", 10);
  await timing.tick(10);
  assertEquals(queue.length, 0);
  queue.done("a");
  assertEquals(queue.length, 1);
});

Deno.test("addRateLimited() doubles from 5 ms to 5 min with jitter, and forget() starts again", async () => {
  for (const [random, factor] of [[0, 0.5], [1 - Number.EPSILON, 1]] as const) {
    const timing = createFakeTiming(() => random);
    const queue = new WorkQueue(timing);
    for (let failure = 0; failure < 20; failure++) {
      const wanted = Math.ceil(Math.min(300_000, 5 * 2 ** failure) * factor);
      queue.addRateLimited("a");
      await timing.tick(wanted - 2);
      assertEquals(queue.length, 0, `failure ${failure}`);
      await timing.tick(3);
      assertEquals(await queue.get(), "a");
      queue.done("a");
    }
    queue.forget("a");
    assertEquals(queue.retries("a"), 0);
    assertEquals(queue.size, 0);
  }
});

Deno.test("addRateLimited() of keys that failed together does not bring them together", () => {
  let value = 0;
  const timing = createFakeTiming(() => (value += 0.1));
  const due: number[] = [];
  const queue = new WorkQueue({ ...timing, setTimer: (callback, ms) => (due.push(ms), timing.setTimer(callback, ms)) });
  for (const key of ["a", "b", "c"]) queue.addRateLimited(key);
  assertEquals(new Set(due).size, 3);
});

Deno.test("shutdown() ends the takers and drops what waits; drain() waits for what is in work", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.add("a");
  await queue.get();
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 1000);
  let drained = false;
  queue.shutdown();
  const drain = queue.drain().then(() => drained = true);
  queue.add("d");

  assertEquals(await queue.get(), undefined);
  assert(!drained);
  queue.done("a");
  await drain;
  assertEquals(queue.size, 0);
  assertEquals(timing.pending(), 0);
});

Deno.test("10,000 keys that were worked on leave nothing behind", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  for (let index = 0; index < 10_000; index++) queue.add(`default/table-${index}`);
  for (let index = 0; index < 10_000; index++) {
    const key = await queue.get() ?? "";
    queue.forget(key);
    queue.done(key);
  }
  assertEquals(queue.size, 0);
});

Deno.test("offer() is add() for a key that did not fail, and keeps the wait of one that did", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.offer("a");
  assertEquals(await queue.get(), "a");
  queue.retryAfter("a", 1_000);
  queue.done("a");
  queue.offer("a");
  await timing.tick(999);
  assertEquals(queue.length, 0);
  await timing.tick(1);
  assertEquals(await queue.get(), "a");
  queue.done("a");
  queue.addAfter("a", 1_000);
  queue.offer("a");
  assertEquals(queue.length, 1, "a wait that is no retry is cut short");
  assertEquals(timing.pending(), 0);
});

Deno.test("offer() of a key in work brings it after done(), unless that work failed", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  queue.add("a");
  await queue.get();
  queue.offer("a");
  queue.done("a");
  assertEquals(await queue.get(), "a");
  queue.offer("a");
  queue.addRateLimited("a");
  queue.offer("a");
  queue.done("a");
  assertEquals(queue.length, 0);
  await timing.tick(5);
  assertEquals(await queue.get(), "a");
  queue.forget("a");
  queue.done("a");
  assertEquals(queue.size, 0);
});

Deno.test("add() cuts the wait of a retry short, also where the key was only offered before", async () => {
  const queue = new WorkQueue(createFakeTiming());
  queue.add("a");
  await queue.get();
  queue.offer("a");
  queue.add("a");
  queue.retryAfter("a", 60_000);
  queue.done("a");
  assertEquals(queue.length, 1);
});

Deno.test("what somebody changed overtakes a resync of 10,000 keys", async () => {
  const queue = new WorkQueue(createFakeTiming());
  for (let index = 0; index < 10_000; index++) queue.add(`default/table-${index}`, "resync");
  const take = async () => {
    const key = await queue.get() ?? "";
    queue.done(key);
    return key;
  };
  for (let index = 0; index < 25; index++) await take();

  queue.add("default/new");
  queue.add("default/table-9999");

  const taken = [await take(), await take(), await take()];
  assert(taken.includes("default/new") && taken.includes("default/table-9999"), taken.join());
  assertEquals([queue.depthOf("fresh"), queue.depthOf("resync")], [0, 9_973]);
});

Deno.test("a stream of changes leaves one turn in ten to a resync, and one to what failed", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing);
  for (let index = 0; index < 100; index++) {
    queue.add(`fresh-${index}`);
    queue.add(`resync-${index}`, "resync");
    queue.addRateLimited(`failing-${index}`);
  }
  await timing.tick(10);
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < 100; turn++) {
    const key = await queue.get() ?? "";
    const lane = key.split("-")[0] ?? "";
    counts[lane] = (counts[lane] ?? 0) + 1;
    queue.done(key);
  }
  assertEquals(counts, { fresh: 80, resync: 10, failing: 10 });
});

Deno.test("a key that was changed while it was in work comes again as fresh, also when a resync met it first", async () => {
  const queue = new WorkQueue(createFakeTiming());
  queue.add("a", "resync");
  await queue.get();
  for (const lane of ["resync", "fresh", "resync"] as const) queue.add("a", lane);
  queue.add("b", "resync");
  queue.done("a");
  assertEquals(queue.depthOf("fresh"), 1);
  assertEquals(await queue.get(), "a");
});

Deno.test("keys that failed take at most maxFailing workers at the same time", async () => {
  const timing = createFakeTiming();
  const queue = new WorkQueue(timing, { maxFailing: 2 });
  for (const key of ["a", "b", "c"]) queue.addRateLimited(key);
  await timing.tick(5);
  const [first, second] = [await queue.get(), await queue.get()];
  const third = queue.get();
  queue.add("healthy");
  assertEquals([first, second, await third], ["a", "b", "healthy"]);
  const fourth = queue.get();
  assertEquals(queue.depthOf("failing"), 1);
  queue.done("a");
  queue.done("healthy");
  assertEquals(await fourth, "c");
});

Deno.test("the observer of a queue is told of each key once, and how long it waited and worked", async () => {
  const timing = createFakeTiming();
  const seen: string[] = [];
  const queue = new WorkQueue(timing, {
    observer: {
      added: () => seen.push("added"),
      retried: () => seen.push("retried"),
      taken: (ms) => seen.push(`taken ${ms}`),
      done: (ms) => seen.push(`done ${ms}`),
    },
  });
  queue.add("a");
  queue.add("a");
  await timing.tick(30);
  await queue.get();
  await timing.tick(200);
  assertEquals(queue.startTimes(), [timing.uptime() - 200]);
  queue.retryAfter("a", 1_000);
  queue.done("a");
  assertEquals(seen, ["added", "taken 30", "retried", "done 200"]);
  seen.length = 0;
  queue.addAfter("b", 1_000);
  assertEquals(seen, ["retried"], "client-go counts each that is to come later");
});
