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
  /** Whether it is the wait after a failure, which an offer does not cut short. */
  readonly isRetry: boolean;
}

/**
 * Keys that need work, each at most once.
 *
 * - A key that is added twice before it is taken is handed out once.
 * - A key is never handed out while it is being worked on; added meanwhile, it comes again after `done()`.
 * - Of several deadlines for a key the earliest wins; `add()` is the deadline "now".
 * - An offer is an `add()` that lets a key which failed wait for its retry: what failed would fail again.
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
  /** Offered while in work: they come again unless that work fails. */
  readonly #offered = new Set<string>();
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
      ...this.#offered,
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

  /** Adds a key of which nothing changed that a retry would do otherwise: one that failed, or fails now, keeps its wait. */
  offer(key: string): void {
    if (this.#shutdown || this.#delayed.get(key)?.isRetry) return;
    if (this.#processing.has(key)) this.#offered.add(key);
    else this.add(key);
  }

  addAfter(key: string, delayMs: number): void {
    this.#delay(key, { delayMs, isRetry: false });
  }

  /** Adds a key that failed, after a time that the failure itself named. */
  retryAfter(key: string, delayMs: number): void {
    this.#offered.delete(key);
    this.#delay(key, { delayMs, isRetry: true });
  }

  /** Adds a key that failed: 5 ms, 10 ms, … 5 min, half of it by chance so that keys that failed together do not return together. */
  addRateLimited(key: string): void {
    const failures = this.retries(key);
    this.#failures.set(key, failures + 1);
    const delay = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** Math.min(failures, 40));
    this.retryAfter(key, delay * (0.5 + this.#timing.random() / 2));
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
    const isOffered = this.#offered.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else if (isOffered) this.offer(key);
    if (this.#processing.size === 0) this.#drainers.splice(0).forEach((resolve) => resolve());
  }

  /** Hands out nothing more and forgets what waits; keys in work stay until `done()`. */
  shutdown(): void {
    this.#shutdown = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    this.#offered.clear();
    this.#failures.clear();
    this.#takers.splice(0).forEach((resolve) => resolve(undefined));
  }

  /** Resolves when no key is in work. */
  drain(): Promise<void> {
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainers.push(resolve));
  }

  #delay(key: string, { delayMs, isRetry }: { readonly delayMs: number; readonly isRetry: boolean }): void {
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
    this.#delayed.set(key, { due, cancel, isRetry });
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
