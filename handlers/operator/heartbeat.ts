import { pause, type Timing } from "../../kube/timing.ts";
import type { Fault } from "./health.ts";

const BEAT_MS = 1_000;
/** A process that comes this late to its own timers is late for everybody: lease, watches, reviews. */
const MAX_LAG_MS = 10_000;

/** Measures how late the event loop is. A loop that stands still answers no probe at all. */
export class Heartbeat {
  readonly #timing: Pick<Timing, "delay">;
  readonly #uptime: () => number;
  #lastBeat: number;
  #lagMs = 0;

  /** @param uptime Milliseconds of a clock that never jumps. */
  constructor(timing: Pick<Timing, "delay">, uptime: () => number) {
    this.#timing = timing;
    this.#uptime = uptime;
    this.#lastBeat = uptime();
  }

  /** How late the last beat was, in milliseconds; more if the next one is overdue for longer. */
  get lagMs(): number {
    return Math.max(this.#lagMs, this.#uptime() - this.#lastBeat - BEAT_MS);
  }

  /** Why the process should be started again. */
  get fault(): Fault {
    const seconds = Math.round(this.lagMs / 1_000);
    return this.lagMs > MAX_LAG_MS ? `the event loop is ${seconds} s late` : undefined;
  }

  /** Beats until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#lastBeat = this.#uptime();
    while (!signal.aborted) {
      await pause(this.#timing, BEAT_MS, signal);
      const now = this.#uptime();
      this.#lagMs = Math.max(0, now - this.#lastBeat - BEAT_MS);
      this.#lastBeat = now;
    }
  }
}
