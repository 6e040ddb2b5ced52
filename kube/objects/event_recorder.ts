import { isKubeError, type KubeClient } from "../client/client.ts";
import { buildEvent, encodeSeries, type EventContent, eventNamespace, EVENTS, type EventSubject } from "./event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Timing } from "../timing.ts";
import { TokenBuckets } from "./token_bucket.ts";

export type { EventContent, EventSubject } from "./event.ts";

/** Why nobody will read an Event: too many of one object, too many of all, refused by the API server, or too late. */
export type EventLoss = "rate" | "full" | "failed" | "shutdown";

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, "create" | "patch">;
  /** Which replica this is: the Pod's name. */
  readonly reportingInstance: string;
  /** Default `tablewright`. */
  readonly reportingController?: string;
  readonly timing: Pick<Timing, "now" | "uptime" | "random" | "setTimer">;
  readonly logger: Logger;
  readonly onRecorded?: (subject: EventSubject, content: EventContent) => void;
  readonly onLost?: (why: EventLoss) => void;
}

/** The same thing said about the same object, once or several times. */
interface Series {
  readonly subject: EventSubject;
  readonly content: EventContent;
  readonly firstSeen: number;
  lastSeen: number;
  count: number;
  /** Of the Event that counts the repetitions, once the API server has it. */
  name: string | undefined;
  /** `changed`: it was said again while the Event was being written. */
  state: "idle" | "queued" | "writing" | "changed";
}

const SERIES_WINDOW_MS = 360_000;
const MAX_SERIES = 4_096;
const MAX_QUEUED = 1_000;
/** Events must not take the API server from those who work. */
const WRITERS = 4;
const REQUEST_TIMEOUT_MS = 10_000;
const FLUSH_TIMEOUT_MS = 5_000;
/** As client-go: an object in a loop must not fill the API server with its story. */
const PER_OBJECT = { burst: 25, refillMs: 300_000, maxKeys: 4_096 };

/**
 * Writes Kubernetes Events beside the work: `record()` returns at once and never throws, and an Event that cannot be written is
 * logged and forgotten.
 *
 * The same thing said again about the same object within 6 minutes counts up the Event that is there (`series.count`). Of one object
 * 25 writes pass at once, and one more each 5 minutes; of all objects 1,000 wait, and 4 are written at a time.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #buckets: TokenBuckets;
  readonly #queue: Series[] = [];
  /** Those who have nothing to write. */
  readonly #writers: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #stop = new AbortController();
  #writing = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#buckets = new TokenBuckets(options.timing, PER_OBJECT);
    for (let index = 0; index < WRITERS; index++) void this.#write();
  }

  record(subject: EventSubject, content: EventContent): void {
    this.#options.onRecorded?.(subject, content);
    const series = this.#say(subject, content);
    switch (series.state) {
      case "queued":
      case "changed":
        // What waits to be written tells of this one too.
        return;
      case "writing":
      case "idle":
        return this.#schedule(series);
    }
  }

  /** Resolves when all that was recorded is written, or given up after `timeoutMs`. */
  async flush(timeoutMs: number = FLUSH_TIMEOUT_MS): Promise<void> {
    if (this.#isIdle) return;
    const cancel = this.#options.timing.setTimer(() => this.#giveUp(), timeoutMs);
    await new Promise<void>((resolve) => this.#idle.push(resolve));
    cancel();
  }

  /** Counts what is said; the same is in one series. */
  #say(subject: EventSubject, content: EventContent): Series {
    const { type, reason, action, note } = content;
    const key = JSON.stringify([subject.metadata.uid, type, reason, action, note]);
    const now = this.#options.timing.now();
    const before = this.#series.get(key);
    const isRepeated = before !== undefined && now - before.lastSeen < SERIES_WINDOW_MS;
    const series: Series = isRepeated
      ? before
      : { subject, content, firstSeen: now, lastSeen: now, count: 0, name: undefined, state: "idle" };
    series.count++;
    series.lastSeen = now;
    this.#remember(key, series);
    return series;
  }

  #schedule(series: Series): void {
    if (this.#queue.length >= MAX_QUEUED) return this.#lose(series, "full");
    if (!this.#buckets.take(series.subject.metadata.uid)) return this.#lose(series, "rate");
    if (series.state === "writing") {
      series.state = "changed";
      return;
    }
    this.#enqueue(series);
  }

  #enqueue(series: Series): void {
    series.state = "queued";
    this.#queue.push(series);
    this.#writers.shift()?.();
  }

  /**
   * Writes what waits, for ever. It is not started by whoever records something: its lines and spans would then belong to the work that
   * happened to be the first.
   */
  async #write(): Promise<never> {
    while (true) {
      const series = this.#queue.shift();
      if (series === undefined) {
        await this.#somethingToWrite();
        continue;
      }
      series.state = "writing";
      this.#writing++;
      await this.#put(series);
      this.#writing--;
      this.#settle(series);
    }
  }

  #somethingToWrite(): Promise<void> {
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  #settle(series: Series): void {
    if ((series.state as Series["state"]) === "changed") return this.#enqueue(series);
    series.state = "idle";
    if (this.#isIdle) this.#idle.splice(0).forEach((resolve) => resolve());
  }

  get #isIdle(): boolean {
    return this.#writing === 0 && this.#queue.length === 0;
  }

  /** Brings the API server to what the series says now. Never rejects. */
  async #put(series: Series): Promise<void> {
    const { signal } = this.#stop;
    try {
      if (series.name !== undefined && await this.#countUp(series, series.name, signal)) return;
      await this.#create(series, signal);
    } catch (error) {
      this.#options.onLost?.(signal.aborted ? "shutdown" : "failed");
      if (!signal.aborted) this.#logFailure(series, error);
    }
  }

  async #create(series: Series, signal: AbortSignal): Promise<void> {
    const { client, timing, reportingController = "tablewright", reportingInstance } = this.#options;
    const manifest = buildEvent(series.subject, series.content, {
      reportingController,
      reportingInstance,
      now: series.firstSeen,
      suffix: Math.floor(timing.random() * 2 ** 48).toString(16).padStart(12, "0"),
      series,
    });
    await client.create(EVENTS, manifest, { timeoutMs: REQUEST_TIMEOUT_MS, signal });
    series.name = manifest.metadata.name;
  }

  /** Answers `false` if the Event is gone: the API server keeps Events for an hour. */
  async #countUp(series: Series, name: string, signal: AbortSignal): Promise<boolean> {
    const reference = { namespace: eventNamespace(series.subject), name };
    const patch = { kind: "merge", value: { series: encodeSeries(series) } } as const;
    try {
      await this.#options.client.patch(EVENTS, reference, { patch, timeoutMs: REQUEST_TIMEOUT_MS, signal });
      return true;
    } catch (error) {
      if (isKubeError(error, 404)) return false;
      throw error;
    }
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    for (const [oldest, { lastSeen }] of this.#series) {
      if (this.#series.size <= MAX_SERIES && series.lastSeen - lastSeen < SERIES_WINDOW_MS) return;
      this.#series.delete(oldest);
    }
  }

  /** The count goes on: the next write of the series, if there is one, tells it. */
  #lose(series: Series, why: EventLoss): void {
    this.#options.onLost?.(why);
    const { namespace, name } = series.subject.metadata;
    this.#options.logger.debug("Event was left out: there are too many", {
      namespace,
      name,
      reason: series.content.reason,
    });
  }

  #giveUp(): void {
    for (const series of this.#queue.splice(0)) {
      series.state = "idle";
      this.#options.onLost?.("shutdown");
    }
    this.#options.logger.warn("Events are given up: the API server does not take them in time");
    this.#stop.abort(new DOMException("The operator stops", "AbortError"));
    this.#stop = new AbortController();
  }

  /** A terminating namespace takes no Events (403): nothing is wrong with that. */
  #logFailure(series: Series, error: unknown): void {
    const { namespace, name } = series.subject.metadata;
    const properties = { namespace, name, reason: series.content.reason, error };
    if (isKubeError(error, 403)) this.#options.logger.debug("Event was refused", properties);
    else this.#options.logger.warn("Cannot write an Event", properties);
  }
}
