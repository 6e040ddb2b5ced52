import type { Timing } from "./timing.ts";

export interface WorkQueueOptions {
  /** Wait after the first failure of a key, in milliseconds; default 5. It doubles with each further one. */
  readonly baseDelayMs?: number;
  /** Default 300,000 (5 min). */
  readonly maxDelayMs?: number;
}

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Delayed {
  readonly due: number;
  readonly cancel: () => void;
}

/**
 * Keys that need work, each at most once.
 *
 * - A key that is added twice before it is taken is handed out once.
 * - A key is never handed out while it is being worked on; added meanwhile, it comes again after `done()`.
 * - Of several deadlines for a key the earliest wins; `add()` is the deadline "now".
 * - A key that is neither waiting, delayed, running nor failing costs no memory.
 */
export class WorkQueue {
  readonly #timing: Pick<Timing, "now" | "random" | "setTimer">;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** A set keeps the order of insertion, so it is a queue without duplicates. */
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #drainers: (() => void)[] = [];
  #shutdown = false;

  constructor(timing: Pick<Timing, "now" | "random" | "setTimer">, options: WorkQueueOptions = {}) {
    this.#timing = timing;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 300_000;
  }

  /** How many keys wait to be taken. */
  get length(): number {
    return this.#waiting.size;
  }

  /** How many keys the queue remembers for any reason: 0 when all is done. */
  get size(): number {
    return new Set([
      ...this.#waiting,
      ...this.#processing,
      ...this.#again,
      ...this.#delayed.keys(),
      ...this.#failures.keys(),
    ]).size;
  }

  add(key: string): void {
    if (this.#shutdown) return;
    this.#cancelDelay(key);
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#handOut();
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#shutdown) return;
    if (delayMs <= 0) return this.add(key);
    if (this.#waiting.has(key) || this.#again.has(key)) return;
    const due = this.#timing.now() + delayMs;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.due <= due) return;
    before?.cancel();
    const cancel = this.#timing.setTimer(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, Math.min(delayMs, MAX_TIMER_MS));
    this.#delayed.set(key, { due, cancel });
  }

  /** Adds a key that failed: 5 ms, 10 ms, … 5 min, half of it by chance so that keys that failed together do not return together. */
  addRateLimited(key: string): void {
    const failures = this.retries(key);
    this.#failures.set(key, failures + 1);
    const delay = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** Math.min(failures, 40));
    this.addAfter(key, delay * (0.5 + this.#timing.random() / 2));
  }

  /** The key succeeded, or is given up: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key failed since it was last forgotten. */
  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Takes the next key, waiting for one; `undefined` once the queue is shut down. Each key taken must be given back with `done()`. */
  get(): Promise<string | undefined> {
    if (this.#shutdown) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
    if (this.#processing.size === 0) this.#drainers.splice(0).forEach((resolve) => resolve());
  }

  /** Hands out nothing more and forgets what waits; keys in work stay until `done()`. */
  shutdown(): void {
    this.#shutdown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#takers.splice(0).forEach((resolve) => resolve(undefined));
  }

  /** Resolves when no key is in work. */
  drain(): Promise<void> {
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainers.push(resolve));
  }

  #handOut(): void {
    for (const key of this.#waiting) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      this.#waiting.delete(key);
      this.#processing.add(key);
      taker(key);
    }
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}
