import { Backoff } from "../queue/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import { pause, type Timing } from "../timing.ts";
import type { FailurePolicy } from "./webhook_configuration.ts";

/** Tries once whether something holds. `false` and a throw mean "not yet". */
export type Check = (signal: AbortSignal) => Promise<boolean>;

export interface RegistrationOptions {
  /** Writes both configurations. */
  readonly apply: (failurePolicy: FailurePolicy, signal: AbortSignal) => Promise<void>;
  /** Whether our listener answers over TLS with a certificate that the CA bundle trusts. */
  readonly listens: Check;
  /** Whether a dry-run request through the API server reaches a listener of ours. */
  readonly prove: Check;
  /** `Ignore`: never block, as in development. */
  readonly finalFailurePolicy: FailurePolicy;
  readonly timing: Pick<Timing, "random" | "delay">;
  readonly logger: Logger;
}

const WRITE_TIMEOUT_MS = 5_000;
const BACKOFF = { baseMs: 100, maxMs: 10_000 };

/**
 * Registers the webhooks so that no moment blocks a user: first the listener answers, then configurations that ignore failures, then
 * the proof that the API server reaches us, and only then `Fail`. An address that the API server cannot reach never locks a kind.
 *
 * Each step is tried until it succeeds; ends early, with `false`, only when `signal` is aborted.
 */
export async function registerWebhooks(options: RegistrationOptions, signal: AbortSignal): Promise<boolean> {
  const { finalFailurePolicy, logger } = options;
  const apply = (policy: FailurePolicy): Check => async () => {
    // Never aborted half-way: a write that arrives after all would bring back what was removed at the stop.
    await options.apply(policy, AbortSignal.timeout(WRITE_TIMEOUT_MS));
    return true;
  };
  const steps: readonly (readonly [string, Check])[] = [
    ["Admission server does not answer yet", options.listens],
    ["Webhook configurations cannot be written yet", apply("Ignore")],
    ["API server does not reach the admission server yet", options.prove],
    ...(finalFailurePolicy === "Fail"
      ? [["Webhook configurations cannot be written yet", apply("Fail")] as const]
      : []),
  ];
  for (const [pending, check] of steps) {
    if (!(await until({ check, pending }, options, signal))) return false;
  }
  logger.info("Webhooks are registered", { failurePolicy: finalFailurePolicy });
  return true;
}

async function until(
  { check, pending }: { readonly check: Check; readonly pending: string },
  options: RegistrationOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const backoff = new Backoff(options.timing, BACKOFF);
  while (!signal.aborted) {
    let reason: string | undefined;
    try {
      if (await check(signal)) return true;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (signal.aborted) break;
    const waitMs = backoff.next();
    // The first failures are the normal course of a start.
    const level = backoff.failures === 5 || backoff.failures % 20 === 0 ? "warn" : "debug";
    options.logger[level](pending, { reason, retryInMs: Math.round(waitMs) });
    await pause(options.timing, waitMs, signal);
  }
  return false;
}
