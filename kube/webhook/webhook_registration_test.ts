import { assertEquals } from "@std/assert";
import { KubeError } from "../client/client.ts";
import { createFakeTiming } from "../fake_timing.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import { registerWebhooks, type RegistrationOptions } from "./webhook_registration.ts";

function setUpRegistration(overrides: Partial<RegistrationOptions>) {
  const timing = createFakeTiming();
  const log: string[] = [];
  const check = (name: string, answers: readonly (boolean | Error)[]) => {
    const rest = [...answers];
    return async () => {
      log.push(name);
      const answer = rest.shift() ?? true;
      if (answer instanceof Error) throw answer;
      return answer;
    };
  };
  const stop = new AbortController();
  const registration: RegistrationOptions = {
    apply: async (failurePolicy) => {
      log.push(`apply ${failurePolicy}`);
    },
    listens: check("listens", [new Error("connection refused")]),
    prove: check("prove", [false, new KubeError("failed calling webhook", { status: 500, reason: "InternalError" })]),
    finalFailurePolicy: "Fail",
    timing,
    logger: memoryLogger(),
    ...overrides,
  };
  return { registered: registerWebhooks(registration, stop.signal), log, timing, stop };
}

Deno.test("registerWebhooks() listens first, then ignores failures, and fails closed only after the proof", async () => {
  const { registered, log, timing } = setUpRegistration({});
  await timing.tick(60_000);
  assertEquals(await registered, true);
  assertEquals(log, [
    "listens",
    "listens",
    "apply Ignore",
    "prove",
    "prove",
    "prove",
    "apply Fail",
  ]);
});

Deno.test("registerWebhooks() never fails closed when nothing is proven, and ends with its signal", async () => {
  const { registered, log, timing, stop } = setUpRegistration({ prove: async () => false });
  await timing.tick(600_000);
  stop.abort();
  assertEquals(await registered, false);
  assertEquals(log.some((line) => line.includes("Fail")), false);
  assertEquals(timing.pending(), 0);
});

Deno.test("registerWebhooks() stays at Ignore when told so", async () => {
  const { registered, log, timing } = setUpRegistration({ finalFailurePolicy: "Ignore" });
  await timing.tick(60_000);
  assertEquals(await registered, true);
  assertEquals(log.filter((line) => line.startsWith("apply")), ["apply Ignore"]);
});
