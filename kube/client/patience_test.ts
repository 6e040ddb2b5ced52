import { assertEquals, assertRejects } from "@std/assert";
import { createFakeTiming } from "../fake_timing.ts";
import { KubeError } from "./kube_error.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { patiently } from "./patience.ts";

const { signal } = new AbortController();
const errorOf = (status: number, retryAfterMs?: number) =>
  new KubeError(`answered ${status}`, { status, reason: "Test", retryAfterMs });

/** Fails with each of the errors, one a call, and then answers; tells when it was called, in ms. */
function start(errors: readonly KubeError[], stop = signal) {
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const calls: number[] = [];
  const call = () => {
    const error = errors[calls.length];
    calls.push(timing.uptime());
    return error === undefined ? Promise.resolve("answer") : Promise.reject(error);
  };
  const outcome = patiently(call, { timing, logger, signal: stop }).catch((error) => error);
  return { timing, calls, outcome, told: () => logger.entries.map(({ properties }) => properties["reason"]) };
}

Deno.test("patiently() asks again while the API server is away or busy, and waits as long as that asks", async () => {
  const { timing, calls, outcome, told } = start([errorOf(0), errorOf(503), errorOf(429, 30_000)]);
  await timing.tick(60_000);
  assertEquals(await outcome, "answer");
  const [, second = 0, third = 0, fourth = 0] = calls;
  assertEquals([calls.length, second <= 250, third - second <= 500, fourth - third], [4, true, true, 30_000]);
  assertEquals(told(), ["answered 503", "answered 429"]);
});

Deno.test("patiently() has enough after 10 s, and throws the last one", async () => {
  const { timing, calls, outcome } = start(Array.from({ length: 1_000 }, () => errorOf(500)));
  await timing.tick(13_000);
  assertEquals((await outcome).message, "answered 500");
  const last = calls.at(-1) ?? 0;
  assertEquals([last >= 10_000, last <= 12_000, calls.length < 20, timing.pending()], [true, true, true, 0]);
});

Deno.test("patiently() asks twice where each answer is long waited for", async () => {
  const timing = createFakeTiming();
  let calls = 0;
  const call = async () => {
    calls++;
    await timing.delay(30_000);
    throw errorOf(0);
  };
  const outcome = patiently(call, { timing, signal }).catch((error) => error);
  await timing.tick(61_000);
  assertEquals([(await outcome).message, calls, timing.pending()], ["answered 0", 2, 0]);
});

Deno.test("patiently() asks once where the answer will not change", async () => {
  for (const status of [400, 401, 403, 404, 409, 422]) {
    const { calls, outcome } = start([errorOf(status)]);
    assertEquals([(await outcome).message, calls.length], [`answered ${status}`, 1]);
  }
  const bug = new TypeError("a bug");
  await assertRejects(() => patiently(() => Promise.reject(bug), { timing: createFakeTiming(), signal }), TypeError);
});

Deno.test("patiently() ends with the signal's reason while it waits", async () => {
  const stop = new AbortController();
  const { timing, calls, outcome } = start([errorOf(429, 30_000)], stop.signal);
  await timing.tick(1_000);
  stop.abort(new Error("stopped"));
  assertEquals([(await outcome).message, calls.length, timing.pending()], ["stopped", 1, 0]);
});
