import type { Timing } from "../timing.ts";

/** What goes over a connection: an answer that is read at once, or a stream that stays open for minutes. */
export type ConnectionUse = "request" | "stream";

/** A connection that one request may use until it says that it has ended. */
export interface ConnectionLoan<Client> {
  readonly client: Client;
  /** Whether later requests still get this connection. */
  readonly isCurrent: boolean;
  /** The server has answered: the connection is open. */
  answered(): void;
  /** May be called more than once. */
  release(): void;
}

/** A client holds one HTTP/2 connection, and keeps that until it is closed. */
export interface ConnectionPoolOptions<Client> {
  /** Makes a client that has no connection yet. */
  readonly open: () => Client;
  readonly timing: Pick<Timing, "uptime" | "setTimer">;
}

interface Connection<Client> {
  readonly client: Client;
  uses: number;
  streams: number;
  isCurrent: boolean;
  /** Something was answered over it, or it was waited for long enough. */
  isOpen: boolean;
  /** Resolves when the first use of it is answered, or has failed. */
  opening: PromiseWithResolvers<void> | undefined;
  /** When its last use ended. */
  idleSince: number;
}

/** An API server allows 100 streams on a connection and makes the next one wait without a word; Deno opens no second connection. */
const MAX_USES = 90;
/** Watches leave room for requests, which would else need a connection for themselves. */
const MAX_STREAMS = 50;
/** Floods come in waves: the next one finds the connections of the one before. */
const KEPT_IDLE_MS = 60_000;
/** What may be slow is not the connection but what was asked first: others then wait no longer. */
const MAX_OPENING_MS = 250;

/**
 * Spreads requests over as few connections as have room for them: usually one. Another is opened when all are full, and closed
 * after it was idle for a while.
 *
 * Of many requests that come at once the first opens the connection and the others wait for it: Deno would let each make a TLS
 * handshake of its own, and then leave all connections but one.
 */
export class ConnectionPool<Client extends { close(): void }> {
  readonly #options: ConnectionPoolOptions<Client>;
  #connections: readonly Connection<Client>[];
  #closed = false;

  /** Opens a first client at once. @throws what `open` throws. */
  constructor(options: ConnectionPoolOptions<Client>) {
    this.#options = options;
    this.#connections = [this.#open()];
  }

  /** @throws {Error} once the pool is closed. */
  async lend(use: ConnectionUse): Promise<ConnectionLoan<Client>> {
    while (true) {
      if (this.#closed) throw new Error("this client is closed");
      this.#closeIdle();
      const connection = this.#connections.find((each) => hasRoom(each, use)) ?? this.#add();
      if (connection.opening === undefined) return this.#lend(connection, use);
      await connection.opening.promise;
    }
  }

  #lend(connection: Connection<Client>, use: ConnectionUse): ConnectionLoan<Client> {
    if (!connection.isOpen) this.#beginOpening(connection);
    const streams = use === "stream" ? 1 : 0;
    connection.uses++;
    connection.streams += streams;
    let isReleased = false;
    return {
      client: connection.client,
      get isCurrent() {
        return connection.isCurrent;
      },
      answered: () => endOpening(connection, true),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        // No answer: whoever is next has the same to try.
        endOpening(connection, false);
        connection.uses--;
        connection.streams -= streams;
        connection.idleSince = this.#options.timing.uptime();
      },
    };
  }

  /** Later requests get new connections. Those that run end by themselves. */
  renew(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections = [];
  }

  /** Nothing is lent any more. What runs ends by itself. */
  close(): void {
    this.#closed = true;
    this.renew();
  }

  #beginOpening(connection: Connection<Client>): void {
    connection.opening = Promise.withResolvers();
    const cancel = this.#options.timing.setTimer(() => endOpening(connection, true), MAX_OPENING_MS);
    void connection.opening.promise.then(cancel);
  }

  #add(): Connection<Client> {
    const connection = this.#open();
    this.#connections = [...this.#connections, connection];
    return connection;
  }

  #open(): Connection<Client> {
    const { open, timing } = this.#options;
    const state = { uses: 0, streams: 0, isCurrent: true, opening: undefined, isOpen: false };
    return { ...state, client: open(), idleSince: timing.uptime() };
  }

  #closeIdle(): void {
    const before = this.#options.timing.uptime() - KEPT_IDLE_MS;
    const isSuperfluous = ({ uses, idleSince }: Connection<Client>, index: number) =>
      index > 0 && uses === 0 && idleSince < before;
    if (!this.#connections.some(isSuperfluous)) return;
    for (const connection of this.#connections.filter(isSuperfluous)) close(connection);
    this.#connections = this.#connections.filter(({ isCurrent }) => isCurrent);
  }
}

function hasRoom({ uses, streams }: Connection<unknown>, use: ConnectionUse): boolean {
  return uses < MAX_USES && (use === "request" || streams < MAX_STREAMS);
}

/** Lets those go on who wait for the first answer. */
function endOpening(connection: Connection<unknown>, isOpen: boolean): void {
  if (connection.opening === undefined) return;
  connection.isOpen = isOpen;
  connection.opening.resolve();
  connection.opening = undefined;
}

function close(connection: Connection<{ close(): void }>): void {
  connection.isCurrent = false;
  endOpening(connection, false);
  connection.client.close();
}
