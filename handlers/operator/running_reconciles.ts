import type { Timing } from "../../kube/timing.ts";

/** Twice what a reconcile may take before it is told to stop: one that still runs then ignores that, and holds its worker for ever. */
const STUCK_MS = 240_000;

/** The reconciles that run now: the heartbeat of a kind's workers. */
export class RunningReconciles {
  readonly #timing: Pick<Timing, "uptime">;
  readonly #startedAt = new Map<string, number>();

  constructor(timing: Pick<Timing, "uptime">) {
    this.#timing = timing;
  }

  /** @returns what to call when it has ended. */
  start(key: string): () => void {
    this.#startedAt.set(key, this.#timing.uptime());
    return () => void this.#startedAt.delete(key);
  }

  /** Names a reconcile that will never end; `undefined` if there is none. */
  get fault(): string | undefined {
    const now = this.#timing.uptime();
    for (const [key, startedAt] of this.#startedAt) {
      const seconds = Math.round((now - startedAt) / 1_000);
      if (now - startedAt > STUCK_MS) return `the reconcile of ${key} has been running for ${seconds} s`;
    }
    return undefined;
  }
}
