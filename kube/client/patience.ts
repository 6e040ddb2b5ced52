import { Backoff } from "../queue/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Timing } from "../timing.ts";
import type { KubeClient } from "./client.ts";
import { KubeError } from "./kube_error.ts";

export interface PatienceOptions {
  readonly timing: Pick<Timing, "uptime" | "random" | "delay">;
  readonly signal: AbortSignal;
  /** Is told what an API server answers that makes us wait. One that is not there gets a line from whoever gives up. */
  readonly logger?: Logger;
  /** Which errors are expected to pass; default {@linkcode isPassing}. */
  readonly passes?: (error: KubeError) => boolean;
}

/** The calls of a start. */
export type StartClient = Pick<KubeClient, "request" | "get" | "list" | "create" | "apply">;

/** Long enough for a leader change of etcd; whoever gave a wrong address wants to know it soon. */
const PATIENCE_MS = 10_000;
const RETRY = { baseMs: 250, maxMs: 2_000 };

/**
 * Calls until the API server answers, for as long as it is away or busy: for what comes before the loops, which never give up.
 * Waits as long as the server asks (`Retry-After`), else a backoff. A second failure, or a later one, is the last after 10 s.
 *
 * @throws {KubeError} that last one, and at once one that does not pass by itself. The signal's reason if that is aborted.
 */
export async function patiently<T>(call: () => Promise<T>, options: PatienceOptions): Promise<T> {
  const { timing, signal, logger, passes = isPassing } = options;
  const backoff = new Backoff(timing, RETRY);
  const startedAt = timing.uptime();
  for (let failures = 1;; failures++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof KubeError) || !passes(error)) throw error;
      // Twice in any case: a first call may have been waiting for its answer all the time.
      if (failures > 1 && timing.uptime() - startedAt >= PATIENCE_MS) throw error;
      const waitMs = error.retryAfterMs ?? backoff.next();
      if (error.status !== 0) {
        logger?.warn("the API server is asked again", { reason: error.message, retryInMs: waitMs });
      }
      await timing.delay(waitMs, signal);
    }
  }
}

/** Whether an API server that is away or busy says so, rather than that it refuses us or what we sent. */
export function isPassing({ status }: KubeError): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/** A client each of whose calls is made {@linkcode patiently}. A create that is told twice may find what it has made: 409. */
export function patientClient(client: StartClient, options: PatienceOptions): StartClient {
  const ask = <T>(call: () => Promise<T>) => patiently(call, options);
  return {
    request: <T>(...call: Parameters<StartClient["request"]>) => ask(() => client.request<T>(...call)),
    get: <T>(...call: Parameters<StartClient["get"]>) => ask(() => client.get<T>(...call)),
    list: <T>(...call: Parameters<StartClient["list"]>) => ask(() => client.list<T>(...call)),
    create: <T>(...call: Parameters<StartClient["create"]>) => ask(() => client.create<T>(...call)),
    apply: <T>(...call: Parameters<StartClient["apply"]>) => ask(() => client.apply<T>(...call)),
  };
}
