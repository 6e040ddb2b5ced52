const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** How long to wait before looking again for something that somebody else will make: doubled each time, by object. */
export class WaitTimes {
  readonly #last = new Map<string, number>();

  /** The next wait of this object, in milliseconds; `key` tells it from others. */
  next(key: string): number {
    const next = Math.min((this.#last.get(key) ?? FIRST_MS / 2) * 2, LONGEST_MS);
    this.#last.set(key, next);
    return next;
  }

  /** It need not wait any more. */
  forget(key: string): void {
    this.#last.delete(key);
  }
}
