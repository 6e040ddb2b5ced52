import { Backoff } from "../queue/backoff.ts";
import { ConnectionStalled, type KubeClient, type WatchEvent } from "../client/client.ts";
import { errorFromStatus, isKubeError, KubeError } from "../client/kube_error.ts";
import type { Logger } from "../telemetry/logger.ts";
import { keyOf, type KubeObject, type ResourceType } from "../object.ts";
import type { ObjectChange, ObjectStore } from "./object_store.ts";
import { pause, type Timing } from "../timing.ts";

/** All that an informer needs of a client: a test can play it. */
export type InformerSource = Pick<KubeClient, "list" | "watch">;

export type InformerState = "absent" | "syncing" | "synced";

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: InformerSource;
  readonly type: ResourceType;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly store: ObjectStore<T>;
  readonly context: Pick<Timing, "uptime" | "random" | "delay">;
  readonly logger: Logger;
  /** How often an absent kind is looked for, in milliseconds. */
  readonly absentPollMs: number;
  /** Called for each key whose object may have changed; never throws. */
  readonly onChange: (key: string, change: ObjectChange) => void;
  readonly onState: () => void;
}

const PAGE_SIZE = 500;
/** Bookmarks come once a minute: a stream that is silent for longer is dead. */
const IDLE_MS = 70_000;
const BACKOFF = { baseMs: 800, maxMs: 30_000 };
/** An API server that does not answer costs nothing to ask, and users wait for it to come back. */
const UNREACHABLE_MAX_MS = 4_000;
/** A stream that lived this long shows that the server is well again. */
const HEALTHY_MS = 30_000;
/** A stream that ends sooner without an event would, without a wait, be asked for hundreds of times a second. */
const SHORT_STREAM_MS = 500;
/** After so many failed watches in a row the resource version itself is doubted, as after a restored backup of etcd. */
const WATCH_FAILURES_BEFORE_RELIST = 3;

/**
 * Keeps the part of a store that belongs to one namespace (or to all) equal to the API server: lists in pages, then watches, for
 * ever. It never throws and never gives up.
 *
 * - 410, as an answer or as an event: lists again, and what is missing then was deleted meanwhile.
 * - Any other failure: waits (`Retry-After`, else a backoff), then goes on from the last resource version.
 * - 404 on list: the kind is absent; it is looked for until it is there.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #backoff: Backoff;
  #resourceVersion: string | undefined;
  #watchFailures = 0;
  state: InformerState = "syncing";
  /** When the API server last told something, at first when this was made, in milliseconds of the clock that never jumps. */
  lastActivity: number;
  #lastStep: number;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#backoff = new Backoff(options.context, BACKOFF);
    this.lastActivity = options.context.uptime();
    this.#lastStep = this.lastActivity;
  }

  /** When something was last heard or tried, in milliseconds of the clock that never jumps: an API server that is down stops nobody from trying. */
  get lastAttempt(): number {
    return Math.max(this.lastActivity, this.#lastStep);
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#step(signal);
      if (waitMs > 0) await pause(this.#options.context, waitMs, signal);
    }
  }

  /** One list or one watch; answers how long to wait before the next. */
  async #step(signal: AbortSignal): Promise<number> {
    const resourceVersion = this.#resourceVersion;
    this.#lastStep = this.#options.context.uptime();
    try {
      if (resourceVersion === undefined) {
        await this.#list(signal);
        return 0;
      }
      return await this.#watch(resourceVersion, signal);
    } catch (error) {
      return signal.aborted ? 0 : this.#waitAfter(error, resourceVersion);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, type, namespace, labelSelector, fieldSelector, store } = this.#options;
    const seen = new Set<string>();
    let next: string | undefined;
    do {
      const query = { namespace, labelSelector, fieldSelector, limit: PAGE_SIZE, continue: next, signal };
      const page = await client.list<T>(type, query);
      this.lastActivity = this.#options.context.uptime();
      for (const object of page.items) {
        seen.add(keyOf(object));
        this.#put(object);
      }
      next = page.continue;
      this.#resourceVersion = next === undefined ? page.resourceVersion : undefined;
    } while (next !== undefined);
    this.#tellGone(store.removeUnseen(namespace, seen));
    this.#watchFailures = 0;
    this.#setState("synced");
  }

  /** Watches until the stream ends; answers how long to wait before the next. */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<number> {
    const { client, type, namespace, labelSelector, fieldSelector, context } = this.#options;
    const started = context.uptime();
    const idle = this.#superviseStream(signal);
    let events = 0;
    try {
      const timeoutSeconds = Math.round(280 + 20 * context.random());
      const onOpen = () => void (this.lastActivity = context.uptime());
      const call = { timeoutSeconds, signal: idle.signal, onOpen };
      const query = { namespace, labelSelector, fieldSelector, resourceVersion, ...call };
      for await (const event of client.watch<T>(type, query)) {
        this.lastActivity = context.uptime();
        this.#apply(event);
        events++;
        this.#watchFailures = 0;
      }
    } finally {
      idle.stop();
      if (context.uptime() - started >= HEALTHY_MS) this.#backoff.reset();
    }
    const short = events === 0 && context.uptime() - started < SHORT_STREAM_MS;
    return short ? this.#backoff.next() : BACKOFF.baseMs * context.random();
  }

  /** Ends a stream that has been silent for too long; one timer a stream, not one an event. */
  #superviseStream(signal: AbortSignal): { readonly signal: AbortSignal; stop(): void } {
    const { context } = this.#options;
    const stream = new AbortController();
    const stop = new AbortController();
    const onAbort = () => stream.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    // Not `lastActivity`: to ask is not to be answered, and an outage must be seen.
    const startedAt = context.uptime();
    const heardAt = () => Math.max(startedAt, this.lastActivity);
    const supervise = async () => {
      for (let left = IDLE_MS; left > 0; left = heardAt() + IDLE_MS - context.uptime()) {
        await pause(context, left, stop.signal);
        if (stop.signal.aborted) return;
      }
      stream.abort(new ConnectionStalled(`nothing was heard for ${IDLE_MS / 1000} s`));
    };
    void supervise();
    return {
      signal: stream.signal,
      stop: () => {
        signal.removeEventListener("abort", onAbort);
        stop.abort();
      },
    };
  }

  #apply(event: WatchEvent<T>): void {
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.#put(event.object);
        break;
      case "DELETED":
        if (this.#options.store.remove(event.object)) this.#tellGone([keyOf(event.object)]);
        break;
      case "BOOKMARK":
        break;
      case "ERROR":
        throw errorFromStatus(event.object, { code: 500 });
    }
    this.#resourceVersion = event.object.metadata.resourceVersion;
  }

  #put(object: T): void {
    const change = this.#options.store.put(object);
    if (change === undefined) return;
    // Of what was there before us nobody knows whether it changed.
    this.#options.onChange(keyOf(object), this.state === "syncing" ? "resync" : change);
  }

  #tellGone(keys: readonly string[]): void {
    for (const key of keys) this.#options.onChange(key, "spec");
  }

  /** Decides what a failure means for the next step, and how long to wait before it. */
  #waitAfter(error: unknown, resourceVersion: string | undefined): number {
    const { logger, absentPollMs, type } = this.#options;
    const listed = resourceVersion === undefined;
    if (error instanceof ConnectionStalled) {
      logger.warn("Watch was silent and is opened again", { plural: type.plural });
      return this.#options.context.random() * BACKOFF.baseMs;
    }
    if (isKubeError(error, 404)) {
      this.#resourceVersion = undefined;
      if (!listed) return 0;
      this.#forgetAll();
      return absentPollMs;
    }
    if (isExpired(error)) {
      this.#resourceVersion = undefined;
      logger.info("Watch is too old and starts again with a list", { plural: type.plural });
      // The first time at once, but a server that answers nothing but 410 must not be asked without pause.
      return this.#watchFailures++ === 0 && !listed ? 0 : this.#backoff.next();
    }
    if (!listed && isDoubtful(error) && ++this.#watchFailures >= WATCH_FAILURES_BEFORE_RELIST) {
      this.#resourceVersion = undefined;
    }
    const waitMs = this.#backoffFor(error);
    this.#logFailure(error, waitMs);
    return waitMs;
  }

  #backoffFor(error: unknown): number {
    if (!(error instanceof KubeError)) return this.#backoff.next();
    // A little is added by chance: all clients were told the same time.
    if (error.retryAfterMs !== undefined) return error.retryAfterMs * (1 + this.#options.context.random() / 10);
    return this.#backoff.next(error.status === 0 ? UNREACHABLE_MAX_MS : undefined);
  }

  #logFailure(error: unknown, waitMs: number): void {
    const properties = { plural: this.#options.type.plural, retryInMs: Math.round(waitMs) };
    if (error instanceof KubeError) return this.#options.logger.warn(error.message, properties);
    this.#options.logger.error("Cannot list or watch, which is a bug", {
      ...properties,
      error,
      stack: error instanceof Error ? error.stack : undefined,
    });
  }

  #forgetAll(): void {
    this.#tellGone(this.#options.store.removeUnseen(this.#options.namespace, new Set()));
    this.#backoff.reset();
    this.lastActivity = this.#options.context.uptime();
    this.#setState("absent");
  }

  #setState(state: InformerState): void {
    if (this.state === state) return;
    this.state = state;
    this.#options.logger.debug("Informer changed its state", { plural: this.#options.type.plural, state });
    this.#options.onState();
  }
}

function isExpired(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === "Expired" || error.reason === "Gone");
}

/** Whether a failed watch may be the fault of its resource version; a server that is down or busy says nothing about it. */
function isDoubtful(error: unknown): boolean {
  return !(error instanceof KubeError && [0, 429, 503].includes(error.status));
}
