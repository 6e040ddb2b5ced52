interface Wait {
  readonly ms: number;
  readonly generation: number | undefined;
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
   * @param generation If only another one can bring something new, the waits begin again with it.
   */
  next(uid: string, generation?: number): number {
    const { firstMs, longestMs } = this.#options;
    const last = this.#last.get(uid);
    const ms = last === undefined || last.generation !== generation ? firstMs : Math.min(last.ms * 2, longestMs);
    this.#last.set(uid, { ms, generation });
    return ms;
  }

  /** It need not wait any more. */
  forget(key: string): void {
    this.#last.delete(key);
  }
}
