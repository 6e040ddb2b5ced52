/**
 * So many may do something at the same time; whoever finds no turn goes, and is brought back in the order in which they came. A turn is
 * offered to one that may be gone, or want none any more: then {@linkcode forget} offers it to the next.
 */
export class Turns {
  readonly #atOnce: number;
  /** By key, in the order in which they came: how it is brought back. */
  readonly #waiting = new Map<string, () => void>();
  /** Brought back, and not seen since. */
  readonly #called = new Set<string>();
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Takes a turn, which must be given back with {@linkcode end}.
   *
   * @returns `false` if there is none now: `bringBack` is called when there may be one.
   */
  take(key: string, bringBack: () => void): boolean {
    if (this.#running >= this.#atOnce) {
      this.wait(key, bringBack);
      return false;
    }
    this.#called.delete(key);
    this.#waiting.delete(key);
    this.#running++;
    return true;
  }

  /** Waits for a turn even if there is one now. */
  wait(key: string, bringBack: () => void): void {
    this.#called.delete(key);
    this.#waiting.set(key, bringBack);
  }

  /** A turn is over. */
  end(): void {
    this.#running--;
    // Who is brought back may fail before it takes its turn: the last one leaves nobody behind.
    this.#bringBack(this.#running === 0 ? this.#waiting.size : this.#free);
  }

  /** That one wants no turn any more. */
  forget(key: string): void {
    this.#waiting.delete(key);
    if (this.#called.delete(key)) this.#bringBack(this.#free);
  }

  /** Whoever waits looks again. */
  bringBackAll(): void {
    this.#bringBack(this.#waiting.size);
  }

  get #free(): number {
    return this.#atOnce - this.#running;
  }

  #bringBack(count: number): void {
    for (const [key, bringBack] of [...this.#waiting].slice(0, count)) {
      this.#waiting.delete(key);
      this.#called.add(key);
      bringBack();
    }
  }
}
