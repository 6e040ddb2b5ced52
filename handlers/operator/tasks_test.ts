import { assertEquals, assertRejects } from "@std/assert";
import { whenAborted } from "../../kube/timing.ts";
import { runTogether } from "./tasks.ts";

Deno.test("runTogether() ends when all have ended after the signal", async () => {
  const stop = new AbortController();
  const running = runTogether((signal) => [whenAborted(signal), whenAborted(signal)], stop.signal);
  stop.abort();
  assertEquals(await running, undefined);
});

Deno.test("runTogether() stops the others when one throws, waits for them, and throws what came first", async () => {
  const first = new Error("the first");
  let hasEnded = false;
  const slow = async (signal: AbortSignal) => {
    await whenAborted(signal);
    await Promise.resolve();
    hasEnded = true;
    throw new Error("because of the first");
  };
  const thrown = await assertRejects(() =>
    runTogether((signal) => [slow(signal), Promise.reject(first)], new AbortController().signal)
  );
  assertEquals([thrown, hasEnded], [first, true]);
});
