import { ControllerMetrics, type ReconcileResultName } from "./controller_metrics.ts";
import { Deadline } from "./deadline.ts";
import { isKubeError, KubeError } from "../client/kube_error.ts";
import { withLogContext } from "../telemetry/log_context.ts";
import type { Logger, LogProperties } from "../telemetry/logger.ts";
import { type Metrics, noMetrics } from "../telemetry/metrics.ts";
import type { ObjectChange } from "../watch/object_store.ts";
import { observeQueue, scrapeQueue } from "./queue_metrics.ts";
import { pause, type Timing, whenAborted } from "../timing.ts";
import { Turns } from "./turns.ts";
import { noTracer, type Tracer } from "../telemetry/tracing.ts";
import type { Lane } from "./waiting_keys.ts";
import { WorkQueue, type WorkQueueOptions } from "./work_queue.ts";

export interface ReconcileResult {
  /** When to look at the object again although nothing changed, in milliseconds. Absent: not before it changes. */
  readonly requeueAfterMs?: number;
  /** Keys of other objects that waited for what this reconcile did. */
  readonly wakes?: readonly string[];
  /** It could not go on now: its failures stay counted, and whoever made it wait brings it back. */
  readonly isPostponed?: true;
}

/**
 * Makes the world match one object. Level-triggered: it reads what is there now and may be called at any time.
 * It returns when nothing more is to do, and throws when it must be called again.
 */
export type Reconcile = (key: string, signal: AbortSignal, deadline: Deadline) => Promise<ReconcileResult>;

export interface ControllerOptions {
  /** For logs, metrics and traces. */
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly workers: number;
  /**
   * After which the signal of a reconcile is aborted, unless it paused its deadline; default 120,000 ms. Less than half of the workers
   * may pause it for longer than that at the same time.
   */
  readonly reconcileTimeoutMs?: number;
  /** How long running reconciles may go on at shutdown; default 10,000 ms. */
  readonly drainTimeoutMs?: number;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly queue?: WorkQueueOptions;
  /** Whether an error that is no `KubeError` is an outside failure, and not a bug whose stack belongs into the log. */
  readonly isExpected?: (error: unknown) => boolean;
  /** Whether the object of that key is known to be gone; default: never. */
  readonly isGone?: (key: string) => boolean;
  /** What else each line about a key should say, such as the uid of its object. */
  readonly describe?: (key: string) => LogProperties;
  readonly metrics?: Metrics;
  readonly tracer?: Tracer;
}

/** What follows from a reconcile that threw. */
export type RetryDecision =
  /** The object is gone: its deletion was seen. */
  | { readonly kind: "drop" }
  /** Something that the reconcile works with is gone: once it may be a race with a deletion, again it is a failure. */
  | { readonly kind: "missing" }
  /** Somebody else was faster: again with the fresh object, nothing to report. */
  | { readonly kind: "conflict" }
  /** The other side said when. */
  | { readonly kind: "after"; readonly delayMs: number }
  | { readonly kind: "backoff" }
  /** A fault of ours: with backoff too, but loudly. */
  | { readonly kind: "bug" };

const DEFAULT_RECONCILE_TIMEOUT_MS = 120_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 10_000;
/** Whoever wants to look again so soon is still at what it was taken for; a later look is one that only comes round. */
const SOON_MS = 10_000;
/**
 * What happens to an object that it made may be just what a failed reconcile waits for, such as a Pod that is Ready; but its own
 * writes come back as such events too, and must not undo its backoff.
 */
const OWNED_RETRY_MS = 1_000;
/** What a reconcile whose signal was aborted gets to end by itself. */
const ABORT_GRACE_MS = 1_000;

/**
 * Decides how a failed reconcile is retried. Pure.
 *
 * Any error with a number `retryAfterMs` names its own time, so modules that this one does not know can do so too.
 */
export function decideRetry(
  error: unknown,
  { isExpected = () => false, isGone = false }: {
    readonly isExpected?: (error: unknown) => boolean;
    /** Whether the object that was reconciled is known to be gone: a 404 may also speak of another one. */
    readonly isGone?: boolean;
  } = {},
): RetryDecision {
  const delayMs = retryAfterMs(error);
  if (delayMs !== undefined) return { kind: "after", delayMs };
  if (isKubeError(error, 404)) return { kind: isGone ? "drop" : "missing" };
  if (error instanceof KubeError) return { kind: error.status === 409 ? "conflict" : "backoff" };
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
  readonly #metrics: ControllerMetrics;
  /** Of those that pause their deadline for longer than it is. */
  readonly #long: Turns;
  /** In which lanes keys were taken that were postponed. */
  readonly #postponed = new Map<string, Lane>();
  /** Aborted when a shutdown has waited long enough. */
  readonly #hardStop = new AbortController();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ controller: options.name });
    const { name: controller, workers, timing, metrics = noMetrics } = options;
    this.#metrics = new ControllerMetrics(metrics, { controller, workers });
    // What hangs until its deadline whenever it is tried must leave workers to what does not.
    const maxFailing = Math.max(1, Math.floor(workers / 2));
    // Together with what fails they leave a worker to the others.
    this.#long = new Turns(Math.max(1, Math.ceil(workers / 2) - 1));
    this.#queue = new WorkQueue(timing, { maxFailing, observer: observeQueue(metrics, controller), ...options.queue });
    scrapeQueue(metrics, this.#queue, { controller, now: timing.uptime });
  }

  /** How many keys wait for a worker. */
  get backlog(): number {
    return this.#queue.length;
  }

  /**
   * Asks for a reconcile of this key. Without effect after shutdown.
   *
   * @param change `spec` overtakes the others, and its failures count anew: they were those of another wish. `resync` comes when
   * nothing fresh waits. `other` does so too, but does not cut short the wait after a failure: the echo of a status that tells of the
   * failure would otherwise bring it again at once. `owned`: something happened to an object that was made for it. As in
   * controller-runtime it comes at once and keeps count of its failures; but after a failure it waits for up to a second.
   */
  enqueue(key: string, change: ObjectChange | "owned" = "spec"): void {
    switch (change) {
      case "spec":
        this.#queue.forget(key);
        return this.#queue.add(key);
      case "resync":
        return this.#queue.add(key, "resync");
      case "other":
        return this.#queue.offer(key);
      case "owned":
        return this.#queue.offer(key, { lane: "fresh", retryWithinMs: OWNED_RETRY_MS });
    }
  }

  /** Asks for a reconcile that was postponed, or that nobody waits for: of a key that failed it is one more try. */
  bringBack(key: string): void {
    this.#queue.add(key, this.#queue.retries(key) > 0 ? "failing" : this.#laneOfPostponed(key));
  }

  /** Also of one that is brought back while its reconcile has yet to say that it was postponed. */
  #laneOfPostponed(key: string): Lane {
    return this.#postponed.get(key) ?? this.#queue.laneOf(key) ?? "resync";
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
    const { tracer = noTracer, describe, name } = this.#options;
    const identity = { ...identityOf(key), ...describe?.(key) };
    const run = { ...identity, reconcileID: crypto.randomUUID() };
    await withLogContext(
      run,
      () => tracer.span("reconcile", spanAttributes(name, identity), () => this.#measure(key)),
    );
  }

  async #measure(key: string): Promise<void> {
    const { timing } = this.#options;
    const startedAt = timing.uptime();
    this.#metrics.started();
    const result = await this.#attempt(key);
    const durationMs = timing.uptime() - startedAt;
    this.#metrics.ended(result, durationMs / 1000);
    this.#logger.debug("Reconciled", { result, durationMs });
  }

  async #attempt(key: string): Promise<ReconcileResultName> {
    const attempt = this.#startAttempt(key);
    const lane = this.#queue.laneOf(key) ?? "resync";
    this.#postponed.delete(key);
    try {
      const result = await this.#options.reconcile(key, attempt.signal, attempt.deadline);
      const { requeueAfterMs, wakes = [], isPostponed = false } = result;
      // Whoever waits for what somebody changed waits with them.
      for (const each of wakes) this.#queue.add(each, lane === "fresh" ? lane : "resync");
      if (isPostponed) {
        this.#postponed.set(key, lane);
        return "requeue";
      }
      this.#queue.forget(key);
      if (requeueAfterMs === undefined) return "success";
      this.#queue.addAfter(key, requeueAfterMs, requeueAfterMs <= SOON_MS ? lane : "resync");
      return "requeue_after";
    } catch (error) {
      return this.#retry(key, error);
    } finally {
      attempt.end();
    }
  }

  /** The signal of one reconcile: its timeout, and the end of a shutdown. */
  #startAttempt(key: string): { readonly signal: AbortSignal; readonly deadline: Deadline; end(): void } {
    const { timing, reconcileTimeoutMs: timeoutMs = DEFAULT_RECONCILE_TIMEOUT_MS } = this.#options;
    const attempt = new AbortController();
    const onExceeded = () => {
      this.#metrics.timedOut();
      this.#logger.warn("Reconcile takes too long and is aborted", { timeoutMs });
      attempt.abort(new DOMException(`Reconcile took longer than ${timeoutMs} ms`, "TimeoutError"));
    };
    let mustWait = false;
    const take = () => {
      const isTaken = this.#long.take(key, () => this.bringBack(key));
      mustWait = !isTaken;
      return isTaken;
    };
    const long = { take, end: () => this.#long.end() };
    const deadline = new Deadline({ timing, timeoutMs, long, onExceeded });
    const hardStop = this.#hardStop.signal;
    const onHardStop = () => attempt.abort(hardStop.reason);
    hardStop.addEventListener("abort", onHardStop, { once: true });
    return {
      signal: attempt.signal,
      deadline,
      end: () => {
        deadline.end();
        if (!mustWait) this.#long.forget(key);
        hardStop.removeEventListener("abort", onHardStop);
      },
    };
  }

  /** Decides when a key that failed comes again; answers how its reconcile counts. */
  #retry(key: string, error: unknown): ReconcileResultName {
    if (this.#hardStop.signal.aborted) return "error";
    const { isExpected, isGone = () => false } = this.#options;
    const decision = decideRetry(error, { isGone: isGone(key), ...(isExpected && { isExpected }) });
    const message = error instanceof Error ? error.message : String(error);
    const properties = { retries: this.#queue.retries(key) };
    switch (decision.kind) {
      case "drop":
        this.#logger.debug("Object is gone", { answer: message });
        this.#queue.forget(key);
        return "success";
      case "conflict":
        this.#logger.debug("Object was changed meanwhile", properties);
        this.#queue.addRateLimited(key, this.#queue.laneOf(key));
        return "requeue";
      case "missing": {
        const isRace = properties.retries === 0;
        this.#logger[isRace ? "debug" : "warn"](message, properties);
        this.#queue.addRateLimited(key, isRace ? this.#queue.laneOf(key) : "failing");
        return isRace ? "requeue" : "error";
      }
      case "after":
        this.#logger.warn(message, { ...properties, retryInMs: Math.round(decision.delayMs) });
        this.#queue.retryAfter(key, decision.delayMs);
        return "error";
      case "backoff":
        this.#logger.warn(message, properties);
        this.#queue.addRateLimited(key);
        return "error";
      case "bug":
        this.#metrics.panicked();
        this.#logger.error(message, { ...properties, stack: error instanceof Error ? error.stack : undefined });
        this.#queue.addRateLimited(key);
        return "error";
    }
  }
}

/** What a key says of its object: see `keyOf()`. */
function identityOf(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Under the names that OpenTelemetry gives to Kubernetes. */
function spanAttributes(controller: string, identity: LogProperties): Record<string, string> {
  const { namespace, name, uid } = identity;
  const named = { controller, "k8s.namespace.name": namespace, "k8s.object.name": name, "k8s.object.uid": uid };
  return Object.fromEntries(
    Object.entries(named).flatMap(([key, value]) => value === undefined ? [] : [[key, String(value)]]),
  );
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
