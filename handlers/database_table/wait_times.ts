interface Wait {
  readonly ms: number;
  readonly wish: string | undefined;
}

/** For what comes as an event of somebody else. */
const SOON = { firstMs: 500, longestMs: 60_000 };

/** How long to wait before looking again for something that somebody else will make: doubled each time, by object. */
export class WaitTimes {
  readonly #last = new Map<string, Wait>();
  readonly #options: { readonly firstMs: number; readonly longestMs: number };

  constructor(options: { readonly firstMs: number; readonly longestMs: number } = SOON) {
    this.#options = options;
  }

  /**
   * The next wait of this object, in milliseconds.
   *
   * @param key Of the object, `namespace/name`.
   * @param wish What it wants: with another wish, or another object under the name, the waits begin again.
   */
  next(key: string, wish?: string): number {
    const { firstMs, longestMs } = this.#options;
    const last = this.#last.get(key);
    const ms = last === undefined || last.wish !== wish ? firstMs : Math.min(last.ms * 2, longestMs);
    this.#last.set(key, { ms, wish });
    return ms;
  }

  /** It need not wait any more. */
  forget(key: string): void {
    this.#last.delete(key);
  }
}
