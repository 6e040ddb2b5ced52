import type { Deadline } from "../../kube/queue/deadline.ts";
import type { Timing } from "../../kube/timing.ts";

/** Twice what a reconcile may take before it is told to stop: one that still runs then ignores that, and holds its worker for ever. */
const STUCK_MS = 240_000;

/** The reconciles that run now: the heartbeat of a kind's workers. */
export class RunningReconciles {
  readonly #timing: Pick<Timing, "uptime">;
  readonly #deadlines = new Map<string, Pick<Deadline, "since">>();

  constructor(timing: Pick<Timing, "uptime">) {
    this.#timing = timing;
  }

  /**
   * @param deadline Its clock stands while the reconcile may take as long as it takes.
   * @returns what to call when it has ended.
   */
  start(key: string, deadline: Pick<Deadline, "since">): () => void {
    this.#deadlines.set(key, deadline);
    return () => void this.#deadlines.delete(key);
  }

  /** Names a reconcile that will never end; `undefined` if there is none. */
  get fault(): string | undefined {
    const now = this.#timing.uptime();
    for (const [key, { since = now }] of this.#deadlines) {
      const seconds = Math.round((now - since) / 1_000);
      if (now - since > STUCK_MS) return `the reconcile of ${key} has been running for ${seconds} s`;
    }
    return undefined;
  }
}
