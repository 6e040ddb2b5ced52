import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../fake_timing.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { WebhookGuard, type WebhookGuardOptions } from "./webhook_guard.ts";

Deno.test("WebhookGuard says when its watches are dead, though nothing else tells that nobody guards", async () => {
  const timing = createFakeTiming();
  const never = Promise.withResolvers<never>();
  const client = {
    apply: () => Promise.resolve({}),
    // A request that ignores its signal: neither an answer nor a failure ever comes of it.
    list: () => never.promise,
  } as unknown as WebhookGuardOptions["client"];
  const metadata = { name: "tablewright" };
  const configurations = { mutating: { metadata }, validating: { metadata } } as never;
  const build = () => Promise.resolve(configurations);
  const guard = new WebhookGuard({ client, instance: "tablewright", build, timing, logger: silentLogger });
  await guard.apply("Ignore", new AbortController().signal);
  const stop = new AbortController();
  void guard.run(stop.signal);
  await timing.tick(140_000);
  assertEquals(guard.fault, "the webhook configurations are not as they should be");
  await timing.tick(1_000);
  assertEquals(guard.fault, "their watch has neither heard nor tried anything for 141 s");
  stop.abort();
});
