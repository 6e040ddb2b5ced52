/** Gives back what was taken. */
export type Leave = () => void;

interface Waiting {
  readonly amount: number;
  readonly enter: () => void;
}

/**
 * A limited amount of something that many want at a time. Whoever finds too little left waits in line: first come, first served, so that
 * many small wishes never keep a large one out.
 */
export class Room {
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #line = new Set<Waiting>();
  #taken = 0;

  /** @param maxWaiting More than so many do not wait: their turn would not come in time. */
  constructor(size: number, maxWaiting: number) {
    this.#size = size;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a part, or all of it for whoever wants more than there is. `undefined` if it cannot be had before the signal aborts.
   */
  async take(wanted: number, signal: AbortSignal): Promise<Leave | undefined> {
    const amount = Math.min(wanted, this.#size);
    const isFree = this.#line.size === 0 && this.#fits(amount);
    if (!isFree && !await this.#wait(amount, signal)) return undefined;
    if (isFree) this.#taken += amount;
    let isTaken = true;
    return () => {
      if (isTaken) this.#give(amount);
      isTaken = false;
    };
  }

  async #wait(amount: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#line.size >= this.#maxWaiting) return false;
    const turn = Promise.withResolvers<boolean>();
    const waiting = { amount, enter: () => turn.resolve(true) };
    const onAbort = () => {
      this.#line.delete(waiting);
      turn.resolve(false);
      // Whoever stood behind may fit.
      this.#admit();
    };
    this.#line.add(waiting);
    signal.addEventListener("abort", onAbort, { once: true });
    const entered = await turn.promise;
    signal.removeEventListener("abort", onAbort);
    return entered;
  }

  #give(amount: number): void {
    this.#taken -= amount;
    this.#admit();
  }

  #admit(): void {
    for (const waiting of this.#line) {
      if (!this.#fits(waiting.amount)) return;
      this.#line.delete(waiting);
      this.#taken += waiting.amount;
      waiting.enter();
    }
  }

  #fits(amount: number): boolean {
    return this.#taken + amount <= this.#size;
  }
}
