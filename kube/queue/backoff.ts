import type { Timing } from "../timing.ts";

export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Waits that double from `baseMs` to `maxMs`, each between a half and the whole by chance. */
export class Backoff {
  readonly #timing: Pick<Timing, "random">;
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(timing: Pick<Timing, "random">, options: BackoffOptions) {
    this.#timing = timing;
    this.#options = options;
  }

  /** How many waits were asked for since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** The next wait in milliseconds, at most `maxMs`. */
  next(maxMs: number = this.#options.maxMs): number {
    const whole = Math.min(maxMs, this.#options.maxMs, this.#options.baseMs * 2 ** Math.min(this.#failures, 40));
    this.#failures++;
    return whole * (0.5 + this.#timing.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
