/** A connection as far as its end must be decided. */
export interface OpenConnection {
  /** Closes it. */
  readonly end: () => void;
  /** Requests on it that are not answered in full. */
  running: number;
  /** Whether a request ever came, and the next one is not overdue. */
  asked: boolean;
  /** Whether it owes us the rest of a request that was answered: another one cannot come before. */
  owing: boolean;
  /** When it was opened, or when a request last came or was answered. */
  changedAt: number;
}

export interface ConnectionLimits {
  /** More at once are not kept. */
  readonly maxConnections: number;
  /** How long the first request may be on its way, in milliseconds: a client connects because it has one. */
  readonly stalledMs: number;
  /** How long a connection may rest after an answer: longer than a Go client keeps it (90 s), so that never we hang up on a request. */
  readonly idleMs: number;
}

/**
 * Who is connected, and who must go: whoever sends no whole request in time, and, when there are too many, whoever has been quiet for
 * longest. Bytes count for nothing, since half a header is no request, and a server's own bytes are no answer to one.
 */
export class OpenConnections {
  readonly #limits: ConnectionLimits;
  /** Milliseconds of a clock that only goes on. */
  readonly #now: () => number;
  /** In the order of their last change. */
  readonly #open = new Set<OpenConnection>();

  constructor(limits: ConnectionLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes another one; says no if there are too many, and each of them is being answered. */
  add(end: () => void): OpenConnection | undefined {
    if (this.#open.size >= this.#limits.maxConnections && !this.#makeRoom()) return undefined;
    const connection = { end, running: 0, asked: false, owing: false, changedAt: this.#now() };
    this.#open.add(connection);
    return connection;
  }

  /** Notes a request, and how it ends. */
  async follow(connection: OpenConnection, answered: Promise<void>): Promise<void> {
    connection.asked = true;
    connection.owing = false;
    connection.running++;
    this.#touch(connection);
    // A client that went away has been answered as far as it goes.
    await answered.catch(() => {});
    connection.running--;
    if (connection.owing) connection.asked = false;
    this.#touch(connection);
  }

  delete(connection: OpenConnection): void {
    this.#open.delete(connection);
  }

  /** Ends those whose time is over. */
  endOverdue(): void {
    const now = this.#now();
    const { stalledMs, idleMs } = this.#limits;
    for (const connection of this.#open) {
      if (now - connection.changedAt > (connection.asked ? idleMs : stalledMs)) this.#end(connection);
    }
  }

  endAll(): void {
    for (const connection of this.#open) this.#end(connection);
  }

  #makeRoom(): boolean {
    for (const connection of this.#open) {
      if (connection.running > 0) continue;
      this.#end(connection);
      return true;
    }
    return false;
  }

  #touch(connection: OpenConnection): void {
    // One that was ended meanwhile must not come back.
    if (!this.#open.delete(connection)) return;
    connection.changedAt = this.#now();
    this.#open.add(connection);
  }

  #end(connection: OpenConnection): void {
    if (this.#open.delete(connection)) connection.end();
  }
}
