import { KubeError } from "../client/client.ts";
import type { LeaseSpec } from "./lease.ts";
import type { LeaseCall, LeaseStore, StoredLease } from "./lease_store.ts";
import type { Timing } from "../timing.ts";

/** What happens to a request on its way: `lost` is done by the server, and its answer never arrives. */
export type Weather = "fine" | "refused" | "silent" | "lost";

/** The Lease of a cluster, with a network that a test can break for each process. For tests only. */
export class FakeLease {
  current: StoredLease | undefined;
  /** Every spec that was stored. */
  readonly history: LeaseSpec[] = [];
  #version = 0;
  readonly #watchers = new Set<() => void>();
  readonly #timing: Timing;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** How one process sees it. */
  connect(weather: () => Weather): Pick<LeaseStore, "read" | "create" | "replace" | "changes"> {
    return {
      read: (call) => this.#send(weather(), call, () => this.current),
      create: (spec, call) =>
        this.#send(weather(), call, () => this.current === undefined ? this.#store(spec) : this.#conflict()),
      replace: (before, spec, call) =>
        this.#send(weather(), call, () => {
          return before.resourceVersion === this.current?.resourceVersion ? this.#store(spec) : this.#conflict();
        }),
      changes: (_after, signal) => this.#changes(weather, signal),
    };
  }

  async *#changes(
    weather: () => Weather,
    signal: AbortSignal,
  ): AsyncGenerator<StoredLease | undefined, void, undefined> {
    while (!signal.aborted) {
      const lease = await new Promise<StoredLease | undefined>((resolve, reject) => {
        const look = () => weather() === "fine" && end(() => resolve(this.current));
        const onAbort = () => end(() => reject(signal.reason));
        const end = (settle: () => void) => {
          this.#watchers.delete(look);
          signal.removeEventListener("abort", onAbort);
          settle();
        };
        this.#watchers.add(look);
        signal.addEventListener("abort", onAbort, { once: true });
      });
      yield lease;
    }
  }

  delete(): void {
    this.current = undefined;
  }

  #store(spec: LeaseSpec): StoredLease {
    this.current = { resourceVersion: String(++this.#version), spec };
    this.history.push(spec);
    for (const look of [...this.#watchers]) look();
    return this.current;
  }

  #conflict(): never {
    throw new KubeError("the object has been modified", { status: 409, reason: "Conflict" });
  }

  async #send<T>(weather: Weather, call: LeaseCall, work: () => T): Promise<T> {
    await Promise.resolve();
    switch (weather) {
      case "fine":
        return work();
      case "refused":
        throw new KubeError("too many requests", { status: 429, reason: "TooManyRequests", retryAfterMs: 1_000 });
      case "lost":
        work();
        throw new KubeError("no answer", { status: 0, reason: "Unreachable" });
      case "silent":
        await this.#timing.delay(call.timeoutMs, call.signal);
        throw new KubeError("no answer", { status: 0, reason: "Unreachable" });
    }
  }
}
