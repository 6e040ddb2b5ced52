import { Backoff } from "../queue/backoff.ts";
import { isKubeError, type KubeError } from "../client/kube_error.ts";
import type { ListOptions, ListPage, WatchEvent, WatchOptions } from "../client/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ResourceType } from "../object.ts";
import type { InformerSource } from "./reflector.ts";
import type { Timing } from "../timing.ts";

export interface GrantedSourceOptions {
  readonly client: InformerSource;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  readonly context: Pick<Timing, "uptime" | "random" | "delay">;
  readonly logger: Logger;
  /** Called when `isForbidden` has changed. */
  readonly onChange: () => void;
}

/** Whoever granted a Role wants to see it work soon; whoever did not, gets few requests. */
const BACKOFF = { baseMs: 800, maxMs: 30_000 };

/**
 * Lists and watches one namespace (or all), and waits for as long as that is forbidden: the Role may come later, or never. It is said
 * once, not at each try.
 */
export class GrantedSource implements InformerSource {
  readonly #options: GrantedSourceOptions;
  readonly #backoff: Backoff;
  #isForbidden = false;
  #lastAttempt: number;
  #lastRefusal: number;

  constructor(options: GrantedSourceOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.context, BACKOFF);
    this.#lastAttempt = options.context.uptime();
    this.#lastRefusal = this.#lastAttempt;
  }

  /** Whether nothing may be listed; from a refusal until a list is complete, or the kind is absent. */
  get isForbidden(): boolean {
    return this.#isForbidden;
  }

  /** When something was last asked for, in milliseconds of the clock that never jumps. */
  get lastAttempt(): number {
    return this.#lastAttempt;
  }

  /** When the API server last refused something, at first when this was made: that is an answer, too. */
  get lastRefusal(): number {
    return this.#lastRefusal;
  }

  /** One page, once it may be had. @throws {KubeError} for anything but a refusal. */
  async list<T>(type: ResourceType, options: ListOptions = {}): Promise<ListPage<T>> {
    const { client, context } = this.#options;
    for (;;) {
      this.#lastAttempt = context.uptime();
      try {
        const page = await client.list<T>(type, options);
        if (page.continue === undefined) this.#granted(type);
        return page;
      } catch (error) {
        // Whether somebody may list a kind is asked before whether it is there.
        if (isKubeError(error, 404)) this.#granted(type);
        if (!isKubeError(error, 403)) throw error;
        this.#refused(type, error);
      }
      await context.delay(this.#backoff.next(), options.signal);
    }
  }

  watch<T>(type: ResourceType, options: WatchOptions): AsyncGenerator<WatchEvent<T>, void, undefined> {
    return this.#options.client.watch<T>(type, options);
  }

  #refused({ plural }: ResourceType, { message }: KubeError): void {
    const { namespace, logger, context } = this.#options;
    this.#lastRefusal = context.uptime();
    if (this.#isForbidden) return;
    logger.warn(message, { plural, namespace, next: "it is asked for again, and served once it is granted" });
    this.#set(true);
  }

  #granted({ plural }: ResourceType): void {
    this.#backoff.reset();
    if (!this.#isForbidden) return;
    const { namespace, logger } = this.#options;
    logger.info("it may be listed now", { plural, namespace });
    this.#set(false);
  }

  #set(isForbidden: boolean): void {
    this.#isForbidden = isForbidden;
    this.#options.onChange();
  }
}
