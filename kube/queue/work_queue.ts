import { MAX_TIMER_MS, type Timing } from "../timing.ts";
import { betterLane, type Lane, WaitingKeys } from "./waiting_keys.ts";

/** What happens in a queue, for whoever measures it. */
export interface QueueObserver {
  /** A key was added that did not wait before. */
  added(): void;
  /** A key will come again after a time, because it failed or because it wants to look again. */
  retried(): void;
  taken(waitedMs: number): void;
  done(workedMs: number): void;
}

export interface WorkQueueOptions {
  /** Wait after the first failure of a key, in milliseconds; default 5. It doubles with each further one. */
  readonly baseDelayMs?: number;
  /** Default 300,000 (5 min). */
  readonly maxDelayMs?: number;
  /** How many keys that failed before may be in work at the same time, so that they leave workers to the others; default: all. */
  readonly maxFailing?: number;
  readonly observer?: QueueObserver;
}

interface Delayed {
  readonly due: number;
  readonly cancel: () => void;
  /** Whether it is the wait after a failure, which an offer does not cut short. */
  readonly isRetry: boolean;
  readonly lane: Lane;
}

/** How a key comes that is offered. */
export interface Offer {
  /** Unless it failed; default `resync`. */
  readonly lane?: Lane;
  /** For how long, in milliseconds, one that failed waits at the most from now on; default: as long as it would anyway. */
  readonly retryWithinMs?: number;
}

interface Work {
  readonly lane: Lane;
  /** Milliseconds of the clock that never jumps. */
  readonly startedAt: number;
}

/**
 * Keys that need work, each at most once.
 *
 * - A key that is added twice before it is taken is handed out once.
 * - A key is never handed out while it is being worked on; added meanwhile, it comes again after `done()`.
 * - Of several deadlines for a key the earliest wins; `add()` is the deadline "now".
 * - An offer is an `add()` that lets a key which failed wait for its retry: what failed would fail again. It may shorten the wait.
 * - What somebody changed overtakes what only comes round, and keys that failed leave workers to the others.
 * - A key that is neither waiting, delayed, running nor failing costs no memory.
 */
export class WorkQueue {
  readonly #timing: Pick<Timing, "uptime" | "random" | "setTimer">;
  readonly #options: WorkQueueOptions;
  readonly #waiting = new WaitingKeys();
  readonly #processing = new Map<string, Work>();
  /** Added while in work, and in which lane they come again. */
  readonly #again = new Map<string, Lane>();
  /** Offered while in work: they come again unless that work fails. */
  readonly #offered = new Map<string, Required<Offer>>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #drainers: (() => void)[] = [];
  #shutdown = false;

  constructor(timing: Pick<Timing, "uptime" | "random" | "setTimer">, options: WorkQueueOptions = {}) {
    this.#timing = timing;
    this.#options = options;
  }

  /** How many keys wait to be taken. */
  get length(): number {
    return this.#waiting.size;
  }

  /** How many keys wait in a lane. */
  depthOf(lane: Lane): number {
    return this.#waiting.sizeOf(lane);
  }

  /** When each key that is in work was taken, in milliseconds of the clock that never jumps. */
  startTimes(): readonly number[] {
    return Array.from(this.#processing.values(), ({ startedAt }) => startedAt);
  }

  /** How many keys the queue remembers for any reason: 0 when all is done. */
  get size(): number {
    return new Set([
      ...this.#waiting.keys(),
      ...this.#processing.keys(),
      ...this.#again.keys(),
      ...this.#offered.keys(),
      ...this.#delayed.keys(),
      ...this.#failures.keys(),
    ]).size;
  }

  add(key: string, lane: Lane = "fresh"): void {
    if (this.#shutdown) return;
    this.#cancelDelay(key);
    if (this.#processing.has(key)) {
      this.#again.set(key, betterLane(lane, this.#again.get(key) ?? lane));
      return;
    }
    if (this.#waiting.add(key, lane, this.#timing.uptime())) this.#options.observer?.added();
    this.#handOut();
  }

  /** Adds a key of which nothing changed that a retry would do otherwise: one that failed, or fails now, keeps its wait or a part of it. */
  offer(key: string, { lane = "resync", retryWithinMs = Infinity }: Offer = {}): void {
    if (this.#shutdown) return;
    if (this.#delayed.get(key)?.isRetry) return this.#hasten(key, retryWithinMs);
    if (!this.#processing.has(key)) return this.add(key, this.retries(key) > 0 ? "failing" : lane);
    const before = this.#offered.get(key) ?? { lane, retryWithinMs };
    this.#offered.set(key, {
      lane: betterLane(lane, before.lane),
      retryWithinMs: Math.min(retryWithinMs, before.retryWithinMs),
    });
  }

  /** Adds a key after a time. */
  addAfter(key: string, delayMs: number, lane: Lane = "resync"): void {
    this.#delay(key, { delayMs, isRetry: false, lane });
  }

  /** In which lane a key that is in work was taken. */
  laneOf(key: string): Lane | undefined {
    return this.#processing.get(key)?.lane;
  }

  /** Adds a key that failed, after a time that the failure itself named. */
  retryAfter(key: string, delayMs: number, lane: Lane = "failing"): void {
    const { retryWithinMs = Infinity } = this.#offered.get(key) ?? {};
    this.#offered.delete(key);
    this.#delay(key, { delayMs: Math.min(delayMs, retryWithinMs), isRetry: true, lane });
  }

  /** Adds a key that failed: 5 ms, 10 ms, … 5 min, half of it by chance so that keys that failed together do not return together. */
  addRateLimited(key: string, lane: Lane = "failing"): void {
    const { baseDelayMs = 5, maxDelayMs = 300_000 } = this.#options;
    const failures = this.retries(key);
    this.#failures.set(key, failures + 1);
    const delay = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures, 40));
    this.retryAfter(key, delay * (0.5 + this.#timing.random() / 2), lane);
  }

  /** The key succeeded, is given up, or stands for something new: its next failure is its first. */
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
    const work = this.#processing.get(key);
    if (work !== undefined) this.#options.observer?.done(this.#timing.uptime() - work.startedAt);
    this.#processing.delete(key);
    const offered = this.#offered.get(key);
    this.#offered.delete(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.add(key, again);
    else if (offered !== undefined) this.offer(key, offered);
    // One that failed may take the place of this one.
    this.#handOut();
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

  #delay(
    key: string,
    { delayMs, isRetry, lane }: { readonly delayMs: number; readonly isRetry: boolean; readonly lane: Lane },
  ): void {
    if (this.#shutdown) return;
    // As client-go counts it, and as dashboards expect it: also where nothing failed.
    this.#options.observer?.retried();
    if (delayMs <= 0) return this.add(key, lane);
    if (this.#waiting.has(key)) return;
    const again = this.#again.get(key);
    // It comes sooner than that, and must not come behind others because of it.
    if (again !== undefined) return void this.#again.set(key, betterLane(lane, again));
    const due = this.#timing.uptime() + delayMs;
    const before = this.#delayed.get(key);
    if (before !== undefined && before.due <= due) return;
    this.#schedule(key, { due, isRetry, lane });
  }

  #schedule(key: string, { due, isRetry, lane }: Omit<Delayed, "cancel">): void {
    this.#cancelDelay(key);
    const cancel = this.#timing.setTimer(() => {
      this.#delayed.delete(key);
      this.add(key, lane);
    }, Math.min(due - this.#timing.uptime(), MAX_TIMER_MS));
    this.#delayed.set(key, { due, cancel, isRetry, lane });
  }

  #hasten(key: string, withinMs: number): void {
    const delayed = this.#delayed.get(key);
    const due = this.#timing.uptime() + withinMs;
    if (delayed !== undefined && delayed.due > due) this.#schedule(key, { ...delayed, due });
  }

  #handOut(): void {
    while (this.#takers.length > 0) {
      const taken = this.#waiting.take({
        mayTakeFailing: this.#failingInWork() < (this.#options.maxFailing ?? Infinity),
      });
      if (taken === undefined) return;
      const startedAt = this.#timing.uptime();
      this.#processing.set(taken.key, { lane: taken.lane, startedAt });
      this.#options.observer?.taken(startedAt - taken.since);
      this.#takers.shift()?.(taken.key);
    }
  }

  #failingInWork(): number {
    let count = 0;
    for (const { lane } of this.#processing.values()) if (lane === "failing") count++;
    return count;
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }
}
