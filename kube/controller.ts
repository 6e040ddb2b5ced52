import { KubeError } from "./kube_error.ts";
import type { Logger } from "./logger.ts";
import type { ObjectChange } from "./object_store.ts";
import { pause, type Timing, whenAborted } from "./timing.ts";
import { WorkQueue, type WorkQueueOptions } from "./work_queue.ts";

export interface ReconcileResult {
  /** When to look at the object again although nothing changed, in milliseconds. Absent: not before it changes. */
  readonly requeueAfterMs?: number;
}

/**
 * Makes the world match one object. Level-triggered: it reads what is there now and may be called at any time.
 * It returns when nothing more is to do, and throws when it must be called again.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

export interface ControllerOptions {
  /** For logs. */
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly workers: number;
  /** After which the signal of a reconcile is aborted; default 120,000 ms. */
  readonly reconcileTimeoutMs?: number;
  /** How long running reconciles may go on at shutdown; default 10,000 ms. */
  readonly drainTimeoutMs?: number;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly queue?: WorkQueueOptions;
  /** Whether an error that is no `KubeError` is an outside failure, and not a bug whose stack belongs into the log. */
  readonly isExpected?: (error: unknown) => boolean;
}

/** What follows from a reconcile that threw. */
export type RetryDecision =
  /** The object is gone: its deletion was seen or will be. */
  | { readonly kind: "drop" }
  /** Somebody else was faster: again with the fresh object, nothing to report. */
  | { readonly kind: "conflict" }
  /** The other side said when. */
  | { readonly kind: "after"; readonly delayMs: number }
  | { readonly kind: "backoff" }
  /** A fault of ours: with backoff too, but loudly. */
  | { readonly kind: "bug" };

const DEFAULT_RECONCILE_TIMEOUT_MS = 120_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;
/** What a reconcile whose signal was aborted gets to end by itself. */
const ABORT_GRACE_MS = 1_000;

/**
 * Decides how a failed reconcile is retried. Pure.
 *
 * Any error with a number `retryAfterMs` names its own time, so modules that this one does not know can do so too.
 */
export function decideRetry(error: unknown, isExpected: (error: unknown) => boolean = () => false): RetryDecision {
  const delayMs = retryAfterMs(error);
  if (delayMs !== undefined) return { kind: "after", delayMs };
  if (error instanceof KubeError) {
    if (error.status === 404) return { kind: "drop" };
    return { kind: error.status === 409 ? "conflict" : "backoff" };
  }
  if (error instanceof DOMException && error.name === "TimeoutError") return { kind: "backoff" };
  return { kind: isExpected(error) ? "backoff" : "bug" };
}

/**
 * Takes keys from its queue and reconciles them with several workers; the only place that decides about retries.
 *
 * A key is never reconciled twice at once: a reconcile that ignores its aborted signal holds its key (and a worker) until it ends.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #logger: Logger;
  readonly #queue: WorkQueue;
  /** Aborted when a shutdown has waited long enough. */
  readonly #hardStop = new AbortController();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ controller: options.name });
    this.#queue = new WorkQueue(options.timing, options.queue);
  }

  /** How many keys wait for a worker. */
  get backlog(): number {
    return this.#queue.length;
  }

  /**
   * Asks for a reconcile of this key. Without effect after shutdown.
   *
   * @param change `other` does not cut short the wait after a failure: the echo of a status that tells of the failure would
   * otherwise bring it again at once.
   */
  enqueue(key: string, change: ObjectChange = "spec"): void {
    if (change === "spec") this.#queue.add(key);
    else this.#queue.offer(key);
  }

  /** Asks for a reconcile after a time; an earlier one that is pending already wins. */
  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  /**
   * Works until `signal` is aborted, then lets running reconciles end within the drain timeout. Never rejects.
   *
   * @param forbidden Aborts running reconciles at once: what they do is not wanted any more.
   * @returns whether all of them ended; one that ignores its signal is abandoned, and may still do something.
   */
  async run(signal: AbortSignal, forbidden: AbortSignal = new AbortController().signal): Promise<boolean> {
    const workers = Array.from({ length: this.#options.workers }, () => this.#work());
    const ended = Promise.all(workers).then(() => undefined);
    await Promise.race([whenAborted(signal), whenAborted(forbidden)]);
    this.#queue.shutdown();
    return await this.#drain(ended, forbidden);
  }

  async #drain(ended: Promise<void>, forbidden: AbortSignal): Promise<boolean> {
    const { timing, drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = this.#options;
    const over = Promise.race([ended, whenAborted(forbidden)]);
    const isInTime = await endsWithin(over, drainTimeoutMs, timing);
    if (isInTime && !forbidden.aborted) return true;
    if (!isInTime) this.#logger.warn("Reconciles still run at the shutdown deadline and are aborted");
    this.#hardStop.abort(forbidden.aborted ? forbidden.reason : new DOMException("The operator stops", "AbortError"));
    if (await endsWithin(ended, ABORT_GRACE_MS, timing)) return true;
    this.#logger.error("Reconciles ignore their signal and are abandoned");
    return false;
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      try {
        await this.#reconcile(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  async #reconcile(key: string): Promise<void> {
    const attempt = this.#startAttempt(key);
    try {
      const { requeueAfterMs } = await this.#options.reconcile(key, attempt.signal);
      this.#queue.forget(key);
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      this.#retry(key, error);
    } finally {
      attempt.end();
    }
  }

  /** The signal of one reconcile: its timeout, and the end of a shutdown. */
  #startAttempt(key: string): { readonly signal: AbortSignal; end(): void } {
    const { timing, reconcileTimeoutMs = DEFAULT_RECONCILE_TIMEOUT_MS } = this.#options;
    const attempt = new AbortController();
    const cancel = timing.setTimer(() => {
      this.#logger.warn("Reconcile takes too long and is aborted", { key, timeoutMs: reconcileTimeoutMs });
      attempt.abort(new DOMException(`Reconcile took longer than ${reconcileTimeoutMs} ms`, "TimeoutError"));
    }, reconcileTimeoutMs);
    const hardStop = this.#hardStop.signal;
    const onHardStop = () => attempt.abort(hardStop.reason);
    hardStop.addEventListener("abort", onHardStop, { once: true });
    return {
      signal: attempt.signal,
      end: () => {
        cancel();
        hardStop.removeEventListener("abort", onHardStop);
      },
    };
  }

  #retry(key: string, error: unknown): void {
    if (this.#hardStop.signal.aborted) return;
    const decision = decideRetry(error, this.#options.isExpected);
    const message = error instanceof Error ? error.message : String(error);
    const properties = { key, retries: this.#queue.retries(key) };
    switch (decision.kind) {
      case "drop":
        this.#logger.debug("Object is gone", { key, answer: message });
        return this.#queue.forget(key);
      case "conflict":
        this.#logger.debug("Object was changed meanwhile", properties);
        return this.#queue.addRateLimited(key);
      case "after":
        this.#logger.warn(message, { ...properties, retryInMs: decision.delayMs });
        return this.#queue.retryAfter(key, decision.delayMs);
      case "backoff":
        this.#logger.warn(message, properties);
        return this.#queue.addRateLimited(key);
      case "bug":
        this.#logger.error(message, { ...properties, stack: error instanceof Error ? error.stack : undefined });
        return this.#queue.addRateLimited(key);
    }
  }
}

function retryAfterMs(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { retryAfterMs } = error as { retryAfterMs?: unknown };
  return typeof retryAfterMs === "number" ? retryAfterMs : undefined;
}

async function endsWithin(ended: Promise<void>, ms: number, timing: Timing): Promise<boolean> {
  const stop = new AbortController();
  const late = pause(timing, ms, stop.signal).then(() => false);
  const inTime = await Promise.race([ended.then(() => true), late]);
  stop.abort();
  return inTime;
}
