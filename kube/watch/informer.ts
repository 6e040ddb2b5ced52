import { type Logger, silentLogger } from "../telemetry/logger.ts";
import type { KubeObject, ResourceType } from "../object.ts";
import { type ObjectChange, ObjectStore } from "./object_store.ts";
import { GrantedSource } from "./granted_source.ts";
import { type InformerSource, type InformerState as ReflectorState, Reflector } from "./reflector.ts";
import type { Timing } from "../timing.ts";

export type { ObjectChange } from "./object_store.ts";
export type { InformerSource } from "./reflector.ts";

/** `forbidden`: nothing may be listed, in none of the namespaces. */
export type InformerState = ReflectorState | "forbidden";

export interface InformerOptions {
  readonly client: InformerSource;
  readonly type: ResourceType;
  /** Empty: all namespaces, with one list and watch. Otherwise one list and watch each. */
  readonly namespaces: readonly string[];
  readonly context: Pick<Timing, "uptime" | "random" | "delay">;
  /** Called with the key of each object that appeared, changed or went. It only enqueues; what it throws is logged. */
  readonly onChange: (key: string, change: ObjectChange) => void;
  readonly logger?: Logger;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** How often a kind whose CRD is absent is looked for; default 30,000 ms. */
  readonly absentPollMs?: number;
}

/**
 * Knows all objects of a kind and tells the key of each that changes.
 *
 * Level-triggered: an event carries no object, several may become one, and after a gap (a lost connection, 410) keys of objects that
 * were deleted or made again meanwhile are told too. It runs until its signal is aborted, whatever the API server does.
 *
 * A namespace that may not be listed keeps nobody waiting for the others: it is asked again until it may.
 */
export class Informer<T extends KubeObject = KubeObject> {
  readonly #store = new ObjectStore<T>();
  readonly #parts: readonly Part<T>[];
  readonly #waiting = new Set<() => void>();

  constructor(options: InformerOptions) {
    const namespaces = options.namespaces.length === 0 ? [undefined] : [...new Set(options.namespaces)];
    this.#parts = namespaces.map((namespace) => this.#createPart(namespace, options));
  }

  #createPart(namespace: string | undefined, options: InformerOptions): Part<T> {
    const { client, type, context, labelSelector, fieldSelector, absentPollMs = 30_000 } = options;
    const logger = options.logger ?? silentLogger;
    const onState = () => this.#wake();
    const source = new GrantedSource({ client, namespace, context, logger, onChange: onState });
    const onChange = (key: string, change: ObjectChange) => guard(logger, () => options.onChange(key, change));
    const reflector = new Reflector<T>({
      ...{ type, namespace, labelSelector, fieldSelector, context, logger, absentPollMs, onChange, onState },
      client: source,
      store: this.#store,
    });
    return { namespace, source, reflector };
  }

  /** Runs until `signal` is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map(({ reflector }) => reflector.run(signal)));
  }

  /** The object as last seen. It is shared: do not change it. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  keys(): string[] {
    return Array.from(this.#store.keys());
  }

  get size(): number {
    return this.#store.size;
  }

  /** `absent`: the kind is not served (its CRD is not there). */
  get state(): InformerState {
    const states = new Set(
      this.#parts.map(({ source, reflector }) => source.isForbidden ? "forbidden" : reflector.state),
    );
    const worst = (["absent", "syncing", "synced"] as const).find((each) => states.has(each));
    return worst ?? "forbidden";
  }

  /** The namespaces that may not be listed, which is waited for; `*` stands for all. */
  get forbidden(): readonly string[] {
    return this.#parts.filter(({ source }) => source.isForbidden).map(({ namespace = "*" }) => namespace);
  }

  /** Whether every object is known that existed when the first list was made and may be listed. */
  get synced(): boolean {
    return this.state === "synced";
  }

  /** When the API server was last heard, in milliseconds of the clock that never jumps; the oldest of all namespaces. */
  get lastActivity(): number {
    return Math.min(
      ...this.#parts.map(({ source, reflector }) => Math.max(source.lastRefusal, reflector.lastActivity)),
    );
  }

  /** When the API server was last heard or asked, in milliseconds of the clock that never jumps; the oldest of all namespaces. */
  get lastAttempt(): number {
    return Math.min(...this.#parts.map(({ source, reflector }) => Math.max(source.lastAttempt, reflector.lastAttempt)));
  }

  /**
   * Resolves once every object is known that may be listed: neither an absent kind blocks, nor a namespace among others that may not
   * be listed. Rejects with the signal's reason.
   */
  whenSynced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#waiting.delete(look);
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const look = () => ["absent", "synced"].includes(this.state) ? end(resolve) : undefined;
      const onAbort = () => end(() => reject(signal.reason));
      this.#waiting.add(look);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      else look();
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** What is known of one namespace, or of all. */
interface Part<T extends KubeObject> {
  readonly namespace: string | undefined;
  readonly source: GrantedSource;
  readonly reflector: Reflector<T>;
}

function guard(logger: Logger, callback: () => void): void {
  try {
    callback();
  } catch (error) {
    logger.error("Cannot enqueue a change, which is a bug", {
      error,
      stack: error instanceof Error ? error.stack : undefined,
    });
  }
}
