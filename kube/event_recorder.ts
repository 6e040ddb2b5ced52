import { isKubeError, type KubeClient } from "./client.ts";
import type { Logger } from "./logger.ts";
import type { KubeManifest, KubeObject, ResourceType } from "./object.ts";
import type { Timing } from "./timing.ts";
import { TokenBuckets } from "./token_bucket.ts";

/** What happened to an object, for whoever runs `kubectl describe` or `kubectl get events`. */
export interface EventContent {
  readonly type: "Normal" | "Warning";
  /** Why, CamelCase: `TableCreated`. */
  readonly reason: string;
  /** What was being done, CamelCase: `Apply`. */
  readonly action: string;
  /** For people; cut at 1,024 bytes. Never a secret or a row value. */
  readonly note: string;
}

export type EventSubject = Pick<KubeObject, "apiVersion" | "kind"> & {
  readonly metadata: Pick<KubeObject["metadata"], "name" | "namespace" | "uid" | "resourceVersion">;
};

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, "create" | "patch">;
  /** Which replica this is: the Pod's name. */
  readonly reportingInstance: string;
  /** Default `tablewright`. */
  readonly reportingController?: string;
  readonly timing: Pick<Timing, "now" | "random">;
  readonly logger: Logger;
}

interface Series {
  /** Of the event that counts the repetitions, once the API server has it. */
  readonly name: Promise<string | undefined>;
  readonly lastSeen: number;
  readonly count: number;
}

const EVENTS: ResourceType = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};
const SERIES_WINDOW_MS = 360_000;
const MAX_SERIES = 4_096;
const MAX_PENDING = 1_000;
const MAX_NOTE_BYTES = 1_024;
const REQUEST_TIMEOUT_MS = 10_000;
/** As client-go: an object in a loop must not fill the API server with its story. */
const PER_OBJECT = { burst: 25, refillMs: 300_000, maxKeys: 4_096 };

/**
 * Writes Kubernetes Events beside the work: `record()` returns at once and never throws, and an Event that cannot be written is
 * logged and forgotten.
 *
 * The same thing said again about the same object within 6 minutes counts up the Event that is there (`series.count`).
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #buckets: TokenBuckets;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#buckets = new TokenBuckets(options.timing, PER_OBJECT);
  }

  record(subject: EventSubject, content: EventContent): void {
    const { logger } = this.#options;
    const { uid, name, namespace } = subject.metadata;
    if (this.#pending.size >= MAX_PENDING || !this.#buckets.take(uid)) {
      return logger.debug("Event was left out: there are too many", { namespace, name, reason: content.reason });
    }
    const key = JSON.stringify([uid, content.type, content.reason, content.action, content.note]);
    const now = this.#options.timing.now();
    const before = this.#series.get(key);
    const repeated = before !== undefined && now - before.lastSeen < SERIES_WINDOW_MS;
    const count = repeated ? before.count + 1 : 1;
    const written = repeated ? this.#countUp(before, { subject, content, count }) : this.#create(subject, content);
    this.#remember(key, { name: written, lastSeen: now, count });
    const tracked: Promise<unknown> = written.finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  /** Resolves when all that was recorded is written or given up. */
  async flush(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async #create(subject: EventSubject, content: EventContent): Promise<string | undefined> {
    const { client, timing } = this.#options;
    const manifest = buildEvent(subject, content, {
      reportingController: this.#options.reportingController ?? "tablewright",
      reportingInstance: this.#options.reportingInstance,
      now: timing.now(),
      suffix: Math.floor(timing.random() * 2 ** 48).toString(16).padStart(12, "0"),
    });
    try {
      await client.create(EVENTS, manifest, { timeoutMs: REQUEST_TIMEOUT_MS });
      return manifest.metadata.name;
    } catch (error) {
      this.#logFailure(subject, content, error);
      return undefined;
    }
  }

  async #countUp(
    before: Series,
    { subject, content, count }: { subject: EventSubject; content: EventContent; count: number },
  ): Promise<string | undefined> {
    const name = await before.name;
    if (name === undefined) return await this.#create(subject, content);
    const series = { count, lastObservedTime: microTime(this.#options.timing.now()) };
    const reference = { namespace: eventNamespace(subject), name };
    const patch = { kind: "merge", value: { series } } as const;
    try {
      await this.#options.client.patch(EVENTS, reference, { patch, timeoutMs: REQUEST_TIMEOUT_MS });
      return name;
    } catch (error) {
      if (isKubeError(error, 404)) return await this.#create(subject, content);
      this.#logFailure(subject, content, error);
      return name;
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

  /** A terminating namespace takes no Events (403): nothing is wrong with that. */
  #logFailure(subject: EventSubject, content: EventContent, error: unknown): void {
    const { namespace, name } = subject.metadata;
    const properties = { namespace, name, reason: content.reason, error };
    if (isKubeError(error, 403)) this.#options.logger.debug("Event was refused", properties);
    else this.#options.logger.warn("Cannot write an Event", properties);
  }
}

/** Builds an Event. Pure. */
export function buildEvent(
  subject: EventSubject,
  content: EventContent,
  context: { reportingController: string; reportingInstance: string; now: number; suffix: string },
): KubeManifest {
  const { name, namespace, uid, resourceVersion } = subject.metadata;
  const regarding = { apiVersion: subject.apiVersion, kind: subject.kind, namespace, name, uid, resourceVersion };
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: eventNamespace(subject), name: `${trimName(name)}.${context.suffix}` },
    eventTime: microTime(context.now),
    reportingController: context.reportingController,
    reportingInstance: context.reportingInstance.slice(0, 128),
    type: content.type,
    reason: content.reason,
    action: content.action,
    note: trimNote(content.note),
    regarding,
  };
}

/** Events about cluster-scoped objects live in `default`. */
function eventNamespace(subject: EventSubject): string {
  return subject.metadata.namespace ?? "default";
}

/** A name has at most 253 characters, and each part between dots begins and ends with a letter or digit. */
function trimName(name: string): string {
  return name.slice(0, 240).replace(/[-.]+$/, "");
}

/** Cuts at a character, not within one. */
function trimNote(note: string): string {
  const bytes = new TextEncoder().encode(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  const cut = new TextDecoder().decode(bytes.subarray(0, MAX_NOTE_BYTES - 3)).replace(/\uFFFD+$/, "");
  return `${cut}…`;
}

function microTime(now: number): string {
  return new Date(now).toISOString().replace("Z", "000Z");
}
