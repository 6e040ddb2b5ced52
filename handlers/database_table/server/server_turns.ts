export interface ServerTurnsOptions {
  /** How many reconciles may work on the server at the same time. */
  readonly atOnce: number;
  /** Asks the server for the first time, within seconds; never rejects. Absent: somebody has asked it. */
  readonly meet?: () => Promise<void>;
}

/**
 * Who works on one server now. A reconcile holds a worker for as long as its server does not answer, and all servers share the
 * workers: so nobody waits for a server that has never answered, and no server has all of them.
 */
export class ServerTurns implements Disposable {
  readonly #options: ServerTurnsOptions;
  /** By the key of the object, in the order in which they came: how it is brought back. */
  readonly #waiting = new Map<string, () => void>();
  #meeting: Promise<void> | undefined;
  #isMet: boolean;
  #running = 0;

  constructor(options: ServerTurnsOptions) {
    this.#options = options;
    this.#isMet = options.meet === undefined;
  }

  /** Resolves once the server was asked for the first time, whatever it said. */
  whenMet(): Promise<void> {
    return this.#meeting ??= this.#meet();
  }

  /**
   * Takes a turn, which must be given back with {@linkcode end}.
   *
   * @returns `false` if there is none now: `bringBack` is called when there may be one.
   */
  take(key: string, bringBack: () => void): boolean {
    if (!this.#isMet) this.whenMet();
    if (!this.#isMet || this.#running >= this.#options.atOnce) {
      this.#waiting.set(key, bringBack);
      return false;
    }
    this.#waiting.delete(key);
    this.#running++;
    return true;
  }

  end(): void {
    this.#running--;
    // Who is brought back may have gone meanwhile and take no turn: the last one leaves nobody behind.
    this.#bringBack(this.#running === 0 ? this.#waiting.size : 1);
  }

  /** The server is closed: whoever waits finds the one that takes its place. */
  [Symbol.dispose](): void {
    this.#bringBack(this.#waiting.size);
  }

  async #meet(): Promise<void> {
    await this.#options.meet?.();
    this.#isMet = true;
    this.#bringBack(this.#waiting.size);
  }

  #bringBack(count: number): void {
    for (const [key, bringBack] of [...this.#waiting].slice(0, count)) {
      this.#waiting.delete(key);
      bringBack();
    }
  }
}
