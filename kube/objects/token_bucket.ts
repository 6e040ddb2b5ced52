import type { Timing } from "../timing.ts";

export interface TokenBucketOptions {
  /** How many may pass at once. */
  readonly burst: number;
  /** After how many milliseconds one more may pass. */
  readonly refillMs: number;
  /** How many keys are remembered; the one that was used longest ago is forgotten first. */
  readonly maxKeys: number;
}

interface Bucket {
  readonly tokens: number;
  readonly filledAt: number;
}

/** Lets a limited number of things pass for each key. */
export class TokenBuckets {
  readonly #timing: Pick<Timing, "uptime">;
  readonly #options: TokenBucketOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(timing: Pick<Timing, "uptime">, options: TokenBucketOptions) {
    this.#timing = timing;
    this.#options = options;
  }

  /** Takes a token of this key; `false` if there is none. */
  take(key: string): boolean {
    const { burst, refillMs, maxKeys } = this.#options;
    const now = this.#timing.uptime();
    const before = this.#buckets.get(key) ?? { tokens: burst, filledAt: now };
    const tokens = Math.min(burst, before.tokens + (now - before.filledAt) / refillMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, filledAt: now });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maxKeys && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1;
  }
}
