import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FakeLease, type Weather } from "./fake_lease_store.ts";
import { createFakeTiming, type FakeTiming } from "../fake_timing.ts";
import { type Lead, LeaderElection } from "./leader_election.ts";
import type { Leadership } from "./leadership.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { whenAborted } from "../timing.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

/** One process that takes part, with its own network and its own clock that never jumps. */
class Process {
  readonly election: LeaderElection;
  readonly logger = memoryLogger();
  weather: Weather = "fine";
  /** The terms that it was given. */
  readonly terms: Leadership[] = [];
  readonly #stop = new AbortController();
  ended: Promise<void> = Promise.resolve();

  constructor(readonly identity: string, lease: FakeLease, timing: FakeTiming) {
    this.election = new LeaderElection({
      store: lease.connect(() => this.weather),
      identity,
      timing,
      uptime: () => timing.now() - START,
      logger: this.logger,
    });
  }

  start(lead: Lead = (leadership) => whenAborted(leadership.signal)): this {
    this.ended = this.election.run(async (leadership) => {
      this.terms.push(leadership);
      await lead(leadership);
    }, this.#stop.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  ask(): void {
    this.#stop.abort();
  }
}

function setUp(...identities: string[]): { lease: FakeLease; timing: FakeTiming; processes: Process[] } {
  const timing = createFakeTiming();
  const lease = new FakeLease(timing);
  return { lease, timing, processes: identities.map((identity) => new Process(identity, lease, timing)) };
}

function two(): { lease: FakeLease; timing: FakeTiming; a: Process; b: Process } {
  const { lease, timing, processes: [a, b] } = setUp("a", "b");
  if (a === undefined || b === undefined) throw new Error("two processes were asked for");
  return { lease, timing, a, b };
}

Deno.test("of two that start, one leads, renews every two seconds, and the other stands by", async () => {
  const { lease, timing, a, b } = two();
  a.start();
  await timing.tick(0);
  b.start();
  await timing.tick(60_000);
  assertEquals([a.election.isLeading, b.election.isLeading], [true, false]);
  assertEquals(lease.history.length, 31);
  assertEquals(new Set(lease.history.map((spec) => spec.holderIdentity)), new Set(["a"]));
  await b.stop();
  await a.stop();
  assertEquals(timing.pending(), 0);
});

Deno.test("a leader that is told to stop frees the lease, and the next one leads at once", async () => {
  const { lease, timing, a, b } = two();
  a.start();
  await timing.tick(0);
  b.start();
  await timing.tick(5_000);
  await a.stop();
  assertEquals(lease.current?.spec.holderIdentity, "");
  await timing.tick(0);
  assertEquals(b.election.isLeading, true);
  assertEquals(lease.current?.spec.leaseTransitions, 1);
  await b.stop();
});

Deno.test("a leader renews until its work has ended, and frees the lease only then", async () => {
  const { lease, timing, a, b } = two();
  const work = Promise.withResolvers<void>();
  a.start(() => work.promise);
  await timing.tick(0);
  b.start();
  a.ask();
  await timing.tick(40_000);
  assertEquals([a.terms[0]?.signal.aborted, a.terms[0]?.lost.aborted, a.election.isLeading], [true, false, true]);
  assertEquals([b.terms.length, lease.current?.spec.holderIdentity], [0, "a"]);
  work.resolve();
  await a.ended;
  await timing.tick(0);
  assertEquals(b.election.isLeading, true);
  await b.stop();
});

Deno.test("a leader that cannot renew leads no more after ten seconds, five before anybody else may", async () => {
  for (const weather of ["refused", "silent"] as const) {
    const { timing, a, b } = two();
    a.start();
    await timing.tick(0);
    b.start();
    await timing.tick(3_900);
    a.weather = weather;
    // The last renewal was at 2 s.
    await timing.tick(8_000);
    assertEquals(a.election.isLeading, true, weather);
    await timing.tick(200);
    assertEquals([a.election.isLeading, a.terms[0]?.lost.aborted, b.terms.length], [false, true, 0], weather);
    await timing.tick(4_800);
    assertEquals(b.terms.length, 0, weather);
    // The lease is over 15 s after the last renewal that was seen; the next look is not much later.
    await timing.tick(500);
    assertEquals(b.election.isLeading, true, weather);
    a.weather = "fine";
    await Promise.all([a.stop(), b.stop()]);
  }
});

Deno.test("a leader whose process stood still knows it by the clock, before any timer has run", async () => {
  const { lease, timing, a } = two();
  let frozenMs = 0;
  const frozen = new LeaderElection({
    store: lease.connect(() => "fine"),
    identity: "frozen",
    timing: { ...timing, now: () => timing.now() + frozenMs },
    uptime: () => timing.now() - START,
    logger: a.logger,
  });
  const stop = new AbortController();
  let term: Leadership | undefined;
  const running = frozen.run(async (leadership) => {
    term = leadership;
    await whenAborted(leadership.signal);
  }, stop.signal);
  await timing.tick(1_000);
  assertEquals(term?.isHeld(), true);
  frozenMs = 30_000;
  assertEquals([term?.isHeld(), term?.lost.aborted], [false, false]);
  stop.abort();
  await running;
});

Deno.test("a leader that finds another's name in the lease stops at once", async () => {
  const { lease, timing, a } = two();
  a.start();
  await timing.tick(1_000);
  lease.current = { resourceVersion: "99", spec: { holderIdentity: "usurper", leaseDurationSeconds: 15 } };
  await timing.tick(2_000);
  assertEquals([a.election.isLeading, a.terms[0]?.lost.aborted], [false, true]);
  assertEquals(lease.current.spec.holderIdentity, "usurper");
  await timing.tick(20_000);
  assertEquals([a.election.isLeading, a.terms.length], [true, 2]);
  await a.stop();
});

Deno.test("a lease that is deleted is made again by its leader, who leads on", async () => {
  const { lease, timing, a } = two();
  a.start();
  await timing.tick(1_000);
  lease.delete();
  await timing.tick(4_000);
  assertEquals([a.election.isLeading, a.terms.length, lease.current?.spec.holderIdentity], [true, 1, "a"]);
  await a.stop();
});

Deno.test("work that throws ends the process's part, and the lease is free", async () => {
  const { lease, timing, a } = two();
  const failure = new Error("it broke");
  a.start(() => Promise.reject(failure));
  const rejected = assertRejects(() => a.ended);
  await timing.tick(0);
  assertEquals(await rejected, failure);
  assertEquals(lease.current?.spec.holderIdentity, "");
  assertEquals(timing.pending(), 0);
});

Deno.test("whatever the network does, never two lead at the same time, and one leads once it is fine", async () => {
  const weather = fc.constantFrom<Weather>("fine", "fine", "refused", "silent", "lost");
  const step = fc.record({ who: fc.nat(2), weather, ms: fc.integer({ min: 0, max: 9_000 }), restarts: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { lease, timing, processes } = setUp("a", "b", "c");
      for (const each of processes) each.start();
      const leaders = () => processes.filter((each) => each.election.isLeading).length;
      for (const { who, weather, ms, restarts } of steps) {
        const process = processes[who];
        if (process !== undefined) process.weather = weather;
        if (restarts) process?.ask();
        for (let passed = 0; passed < ms; passed += 500) {
          await timing.tick(500);
          assertEquals(leaders() <= 1, true, `${leaders()} lead`);
        }
        if (restarts) processes[who] = new Process(`${process?.identity}+`, lease, timing).start();
      }
      for (const each of processes) each.weather = "fine";
      await timing.tick(25_000);
      assertEquals(leaders(), 1);
      for (const each of processes) each.ask();
      await timing.tick(10_000);
      await Promise.all(processes.map((each) => each.ended));
    }),
    { numRuns: 60 },
  );
});
