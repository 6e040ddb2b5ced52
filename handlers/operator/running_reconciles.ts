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

  /** For how long the one that has used most of its time has run, in milliseconds, without what may take as long as it takes. */
  get longestMs(): number {
    return Math.max(0, ...this.#runs().map(({ ranMs }) => ranMs));
  }

  /** Names a reconcile that will never end; `undefined` if there is none. */
  get fault(): string | undefined {
    const stuck = this.#runs().find(({ ranMs }) => ranMs > STUCK_MS);
    if (stuck === undefined) return undefined;
    return `the reconcile of ${stuck.key} has been running for ${Math.round(stuck.ranMs / 1_000)} s`;
  }

  #runs(): readonly { readonly key: string; readonly ranMs: number }[] {
    const now = this.#timing.uptime();
    return Array.from(this.#deadlines, ([key, { since = now }]) => ({ key, ranMs: now - since }));
  }
}
