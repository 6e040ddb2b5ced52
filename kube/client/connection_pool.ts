/** What goes over a connection: an answer that is read at once, or a stream that stays open for minutes. */
export type ConnectionUse = "request" | "stream";

/** A connection that one request may use until it says that it has ended. */
export interface ConnectionLoan<Client> {
  readonly client: Client;
  /** Whether later requests still get this connection. */
  readonly isCurrent: boolean;
  /** May be called more than once. */
  release(): void;
}

/** A client holds one HTTP/2 connection, and keeps that until it is closed. */
export interface ConnectionPoolOptions<Client> {
  /** Makes a client that has no connection yet. */
  readonly open: () => Client;
  /** Milliseconds of a clock that never jumps. */
  readonly uptime: () => number;
}

interface Connection<Client> {
  readonly client: Client;
  uses: number;
  streams: number;
  isCurrent: boolean;
  /** When its last use ended. */
  idleSince: number;
}

/** An API server allows 100 streams on a connection and makes the next one wait without a word; Deno opens no second connection. */
const MAX_USES = 90;
/** Watches leave room for requests, which would else need a connection for themselves. */
const MAX_STREAMS = 50;
/** Floods come in waves: the next one finds the connections of the one before. */
const KEPT_IDLE_MS = 60_000;

/**
 * Spreads requests over as few connections as have room for them: usually one. Another is opened when all are full, and closed
 * after it was idle for a while.
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
  lend(use: ConnectionUse): ConnectionLoan<Client> {
    if (this.#closed) throw new Error("this client is closed");
    this.#closeIdle();
    const connection = this.#connections.find((each) => hasRoom(each, use)) ?? this.#add();
    const streams = use === "stream" ? 1 : 0;
    connection.uses++;
    connection.streams += streams;
    let isReleased = false;
    return {
      client: connection.client,
      get isCurrent() {
        return connection.isCurrent;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        connection.uses--;
        connection.streams -= streams;
        connection.idleSince = this.#options.uptime();
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

  #add(): Connection<Client> {
    const connection = this.#open();
    this.#connections = [...this.#connections, connection];
    return connection;
  }

  #open(): Connection<Client> {
    return { client: this.#options.open(), uses: 0, streams: 0, isCurrent: true, idleSince: this.#options.uptime() };
  }

  #closeIdle(): void {
    const before = this.#options.uptime() - KEPT_IDLE_MS;
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

function close(connection: Connection<{ close(): void }>): void {
  connection.isCurrent = false;
  connection.client.close();
}
