import { Turns } from "../../../kube/queue/turns.ts";

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
  /** By the key of the object. */
  readonly #turns: Turns;
  #meeting: Promise<void> | undefined;
  #isMet: boolean;

  constructor(options: ServerTurnsOptions) {
    this.#options = options;
    this.#turns = new Turns(options.atOnce);
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
    if (this.#isMet) return this.#turns.take(key, bringBack);
    this.#turns.wait(key, bringBack);
    this.whenMet();
    return false;
  }

  end(): void {
    this.#turns.end();
  }

  /** The object is gone, or its table is on another server. */
  forget(key: string): void {
    this.#turns.forget(key);
  }

  /** The server is closed: whoever waits finds the one that takes its place. */
  [Symbol.dispose](): void {
    this.#turns.bringBackAll();
  }

  async #meet(): Promise<void> {
    await this.#options.meet?.();
    this.#isMet = true;
    this.#turns.bringBackAll();
  }
}
