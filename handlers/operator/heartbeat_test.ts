import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../../kube/fake_timing.ts";
import { Heartbeat } from "./heartbeat.ts";
import { RunningReconciles } from "./running_reconciles.ts";

Deno.test("a heart that beats in time is healthy; one that is ten seconds late is not, until its next beat in time", async () => {
  const timing = createFakeTiming();
  const started = timing.now();
  let frozenMs = 0;
  const heartbeat = new Heartbeat(timing, () => timing.now() - started + frozenMs);
  const stop = new AbortController();
  const running = heartbeat.run(stop.signal);
  await timing.tick(60_000);
  assertEquals(heartbeat.fault, undefined);
  // The process was stopped and goes on: no timer has run yet.
  frozenMs = 30_000;
  assertEquals(heartbeat.fault, "the event loop is 29 s late");
  await timing.tick(1_000);
  assertEquals(heartbeat.fault, "the event loop is 30 s late");
  await timing.tick(1_000);
  assertEquals(heartbeat.fault, undefined);
  stop.abort();
  await running;
  assertEquals(timing.pending(), 0);
});

Deno.test("a reconcile that does not end names itself; what ended says nothing", async () => {
  const timing = createFakeTiming();
  const running = new RunningReconciles(timing);
  const end = running.start("default/slow", { since: timing.uptime() });
  running.start("default/quick", { since: timing.uptime() })();
  await timing.tick(240_000);
  assertEquals(running.fault, undefined);
  await timing.tick(1_000);
  assertEquals(running.fault, "the reconcile of default/slow has been running for 241 s");
  running.start("default/build", { since: undefined });
  running.start("default/young", { since: timing.uptime() - 1_000 });
  assertEquals(running.longestMs, 241_000);
  end();
  assertEquals(
    [running.fault, running.longestMs],
    [undefined, 1_000],
    "what may take as long as it takes does not count",
  );
});
