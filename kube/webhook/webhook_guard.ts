import { Backoff } from "../queue/backoff.ts";
import type { KubeClient } from "../client/client.ts";
import { Informer, type InformerSource } from "../watch/informer.ts";
import type { Logger } from "../telemetry/logger.ts";
import { pause, type Timing, whenAborted } from "../timing.ts";
import { type FailurePolicy, MUTATING, VALIDATING, type WebhookConfigurations } from "./webhook_configuration.ts";
import { applyWebhookConfigurations, restoreWebhookConfigurations } from "./webhook_configuration_writer.ts";

export interface WebhookGuardOptions {
  readonly client: Pick<KubeClient, "apply" | "get" | "patch"> & InformerSource;
  /** Name of both configurations. */
  readonly instance: string;
  /** As they should be now. */
  readonly build: (failurePolicy: FailurePolicy, signal: AbortSignal) => Promise<WebhookConfigurations>;
  readonly timing: Timing;
  readonly logger: Logger;
}

const WRITE_TIMEOUT_MS = 5_000;
/** Between two repairs: whoever fights us gets no storm, and is still undone within 10 s. */
const BACKOFF = { baseMs: 200, maxMs: 5_000 };
/** Who was quiet for this long does not fight. */
const QUIET_MS = 60_000;
/** Twice the silence after which a watch is opened again: whoever is older than that is not even trying. */
const WATCH_MAX_AGE_MS = 140_000;

/** Keeps the webhook configurations as they should be: deleted or changed ones are back within seconds. */
export class WebhookGuard {
  readonly #options: WebhookGuardOptions;
  #failurePolicy: FailurePolicy | undefined;
  /** While it runs. */
  #watches: readonly Informer[] = [];
  #look = Promise.withResolvers<void>();
  #writing: Promise<unknown> = Promise.resolve();
  /** How often what the configurations are built from has changed. */
  #revision = 0;
  /** Since when, in milliseconds of the clock that never jumps, the API server has had what is built now. */
  #settledAt: number | undefined;

  constructor(options: WebhookGuardOptions) {
    this.#options = options;
  }

  /** Writes both configurations with that policy, and guards it from then on. */
  async apply(failurePolicy: FailurePolicy, signal: AbortSignal): Promise<void> {
    await this.#oneAtATime(async () => {
      const configurations = await this.#options.build(failurePolicy, signal);
      await applyWebhookConfigurations(this.#options.client, configurations, signal);
      this.#failurePolicy = failurePolicy;
    });
    this.#look.resolve();
  }

  /** Writes soon, since something that the configurations are built from has changed. */
  rebuild(): void {
    this.#revision++;
    this.#settledAt = undefined;
    this.#look.resolve();
  }

  /** For how long the API server has had both configurations as they should be; 0 if it has not. */
  get settledMs(): number {
    return this.#settledAt === undefined ? 0 : this.#options.timing.uptime() - this.#settledAt;
  }

  /** Why what is registered is not as it should be, as far as is known; for people. */
  get fault(): string | undefined {
    if (this.#failurePolicy === undefined) return "the webhook configurations are not written yet";
    const now = this.#options.timing.uptime();
    const ageMs = Math.max(0, ...this.#watches.map(({ lastAttempt }) => now - lastAttempt));
    if (ageMs > WATCH_MAX_AGE_MS) {
      return `their watch has neither heard nor tried anything for ${Math.round(ageMs / 1_000)} s`;
    }
    return this.#settledAt === undefined ? "the webhook configurations are not as they should be" : undefined;
  }

  /** Watches and repairs until `signal` is aborted. Nothing is written before the first `apply()`. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, instance, timing: context, logger } = this.#options;
    const fieldSelector = `metadata.name=${instance}`;
    this.#watches = [MUTATING, VALIDATING].map((type) =>
      new Informer({
        client,
        type,
        namespaces: [],
        context,
        logger,
        fieldSelector,
        onChange: () => this.#look.resolve(),
      })
    );
    await Promise.all([...this.#watches.map((each) => each.run(signal)), this.#repair(signal)]);
    this.#watches = [];
  }

  async #repair(signal: AbortSignal): Promise<void> {
    const { timing } = this.#options;
    const backoff = new Backoff(timing, BACKOFF);
    let last = timing.uptime();
    const stopped = whenAborted(signal);
    while (!signal.aborted) {
      await Promise.race([this.#look.promise, stopped]);
      if (signal.aborted) return;
      this.#look = Promise.withResolvers();
      if (timing.uptime() - last > QUIET_MS) backoff.reset();
      if (!await this.#oneAtATime(() => this.#restore())) continue;
      last = timing.uptime();
      await pause(timing, backoff.next(), signal);
    }
  }

  /** A repair that began before an `apply()` would bring back the policy of before. */
  async #oneAtATime<T>(write: () => Promise<T>): Promise<T> {
    const result = this.#writing.then(write);
    this.#writing = result.catch(() => {});
    return await result;
  }

  /** Says whether there was something to do; what failed is tried again. */
  async #restore(): Promise<boolean> {
    const { client, build, instance, timing, logger } = this.#options;
    const revision = this.#revision;
    if (this.#failurePolicy === undefined) return false;
    try {
      // Never aborted half-way: a write that arrives after all would bring back what was removed at the stop.
      const limit = AbortSignal.timeout(WRITE_TIMEOUT_MS);
      const restored = await restoreWebhookConfigurations(client, await build(this.#failurePolicy, limit), limit);
      if (restored) logger.info("webhook configurations restored", { instance });
      if (restored) this.#settledAt = undefined;
      if (revision === this.#revision) this.#settledAt ??= timing.uptime();
      return restored;
    } catch (error) {
      logger.warn("the webhook configurations cannot be restored yet", { instance, error });
      this.#look.resolve();
      return true;
    }
  }
}
