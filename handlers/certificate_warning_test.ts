import { assertEquals, assertStringIncludes } from "@std/assert";
import { createFakeTiming } from "../kube/fake_timing.ts";
import { memoryLogger } from "../kube/logger.ts";
import { warnOfExpiry } from "./certificate_warning.ts";

const DAY_MS = 24 * 60 * 60_000;

Deno.test("warnOfExpiry() warns once a day in the last 30 days, and goes on when the certificate has ended", async () => {
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const stop = new AbortController();
  const expiry = new Date(timing.now() + 365 * DAY_MS);
  const watching = warnOfExpiry({ expiry, timing, logger }, stop.signal);
  await timing.tick(335 * DAY_MS - 1);
  assertEquals(logger.entries.length, 0);
  await timing.tick(1);
  assertEquals(logger.entries.map(({ level, properties }) => [level, properties["daysLeft"]]), [["warn", 30]]);
  await timing.tick(29 * DAY_MS);
  assertEquals(
    logger.entries.map(({ properties }) => properties["daysLeft"]),
    Array.from({ length: 30 }, (_, i) => 30 - i),
  );
  assertStringIncludes(logger.entries.at(-1)?.message ?? "", "ends soon");
  await timing.tick(2 * DAY_MS);
  assertStringIncludes(logger.entries.at(-1)?.message ?? "", "has ended");
  stop.abort();
  await watching;
  assertEquals(timing.pending(), 0);
});
