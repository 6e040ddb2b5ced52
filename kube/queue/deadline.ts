import { MAX_TIMER_MS, type Timing } from "../timing.ts";

/**
 * Stops the clock of a reconcile, for `longestMs` at the most; what it returns lets the clock run again, from the beginning.
 * `undefined`: for so long, or for ever (`Infinity`), is not possible now. Then begin nothing that may take so long, and let the
 * reconcile be postponed.
 */
export type Pause = (longestMs: number) => (() => void) | undefined;

/** Who may stop the clock for longer than a reconcile may take: whoever does so holds a worker for as long. */
interface LongPauses {
  /** Whether it may now; each turn that was taken is given back with `end()`. */
  readonly take: () => boolean;
  readonly end: () => void;
}

export interface DeadlineOptions {
  readonly timing: Pick<Timing, "uptime" | "setTimer">;
  readonly timeoutMs: number;
  readonly long: LongPauses;
  /** Called once, when the time is over. */
  readonly onExceeded: () => void;
}

/**
 * How long a reconcile may take. It stops the clock while it waits for something that takes as long as it takes, such as the build
 * of an index over a large table: begun anew it would never end.
 */
export class Deadline {
  readonly #options: DeadlineOptions;
  #since: number | undefined;
  #cancel: () => void = () => {};
  #pauses = 0;
  #isEnded = false;

  /** The clock runs from now on. */
  constructor(options: DeadlineOptions) {
    this.#options = options;
    this.#start();
  }

  /** Since when the clock runs, in milliseconds of the timing's uptime; `undefined` while it is stopped. */
  get since(): number | undefined {
    return this.#since;
  }

  readonly pause: Pause = (longestMs) => {
    const { timing, timeoutMs, long } = this.#options;
    const isLong = longestMs > timeoutMs;
    if (isLong && !long.take()) return undefined;
    this.#pauses++;
    this.#stop();
    let isResumed = false;
    const resume = () => {
      if (isResumed) return;
      isResumed = true;
      cancel();
      if (isLong) long.end();
      this.#pauses--;
      if (this.#pauses === 0 && !this.#isEnded) this.#start();
    };
    const cancel = longestMs === Infinity ? () => {} : timing.setTimer(resume, Math.min(longestMs, MAX_TIMER_MS));
    return resume;
  };

  /** Nobody waits any more. */
  end(): void {
    this.#isEnded = true;
    this.#stop();
  }

  #start(): void {
    const { timing, timeoutMs, onExceeded } = this.#options;
    this.#since = timing.uptime();
    this.#cancel = timing.setTimer(onExceeded, timeoutMs);
  }

  #stop(): void {
    this.#cancel();
    this.#since = undefined;
  }
}
