import { type Logger, silentLogger } from "../telemetry/logger.ts";
import type { KubeObject, ResourceType } from "../object.ts";
import { type ObjectChange, ObjectStore } from "./object_store.ts";
import { type InformerSource, type InformerState, Reflector } from "./reflector.ts";
import type { Timing } from "../timing.ts";

export type { ObjectChange } from "./object_store.ts";
export type { InformerSource, InformerState } from "./reflector.ts";

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
 */
export class Informer<T extends KubeObject = KubeObject> {
  readonly #store = new ObjectStore<T>();
  readonly #reflectors: readonly Reflector<T>[];
  readonly #waiting = new Set<() => void>();

  constructor(options: InformerOptions) {
    const { client, type, context } = options;
    const logger = options.logger ?? silentLogger;
    const namespaces = options.namespaces.length === 0 ? [undefined] : [...new Set(options.namespaces)];
    this.#reflectors = namespaces.map((namespace) =>
      new Reflector<T>({
        client,
        type,
        namespace,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        store: this.#store,
        context,
        logger,
        absentPollMs: options.absentPollMs ?? 30_000,
        onChange: (key, change) => guard(logger, () => options.onChange(key, change)),
        onState: () => this.#wake(),
      })
    );
  }

  /** Runs until `signal` is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
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
    const states = new Set(this.#reflectors.map((reflector) => reflector.state));
    if (states.has("absent")) return "absent";
    return states.has("syncing") ? "syncing" : "synced";
  }

  /** Whether every object that existed when the first list was made is known. */
  get synced(): boolean {
    return this.state === "synced";
  }

  /** When the API server was last heard, in milliseconds of the clock that never jumps; the oldest of all namespaces. */
  get lastActivity(): number {
    return Math.min(...this.#reflectors.map((reflector) => reflector.lastActivity));
  }

  /** When the API server was last heard or asked, in milliseconds of the clock that never jumps; the oldest of all namespaces. */
  get lastAttempt(): number {
    return Math.min(...this.#reflectors.map((reflector) => reflector.lastAttempt));
  }

  /** Resolves once the state is no longer `syncing`: an absent kind blocks nothing. Rejects with the signal's reason. */
  whenSynced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#waiting.delete(look);
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const look = () => this.state === "syncing" ? undefined : end(resolve);
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
