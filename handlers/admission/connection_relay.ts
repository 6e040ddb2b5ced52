import { ConnectionExchange, type Ends, FIRST_BUFFER_BYTES } from "./connection_exchange.ts";
import { systemTiming } from "../../kube/timing.ts";
import { type ConnectionLimits, type OpenConnection, OpenConnections } from "./open_connections.ts";

/** Where new connections go; it may change at any time. */
export type RelayTarget = () => { readonly port: number };

/** Between which ports on this machine the bytes of a connection go. */
export interface Route {
  /** The server's own port. */
  readonly serverPort: number;
  /** The port that it takes for the client's. */
  readonly clientPort: number;
}

export const DEFAULT_LIMITS: ConnectionLimits = { maxConnections: 2_048, stalledMs: 10_000, idleMs: 120_000 };

/** A client that hears that its server has ended leaves at once; who stays is not waited for any longer. */
const LAST_WORDS_MS = 1_000;
const SWEEPS = 5;
const RETRY_MS = 10;

/** A client that has a server. */
interface Relayed {
  readonly connection: OpenConnection;
  readonly serverPort: number;
  readonly exchange: ConnectionExchange;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

interface Meeting extends Ends {
  /** The server's. */
  readonly port: number;
  /** What the client said already. */
  readonly hello: Uint8Array;
}

/**
 * Passes the bytes of each connection on to a server behind it, which may be another one for the next connection.
 *
 * The listening socket stays the same while servers come and go: a socket that is closed would reset the connections that the kernel
 * has taken and nobody has accepted yet. It also ends connections whose request does not come, which `Deno.serve` would keep for
 * ever; what a request is only the server can tell, since the relay sees nothing but TLS.
 */
export class ConnectionRelay {
  readonly #listener: Deno.TcpListener;
  readonly #target: RelayTarget;
  readonly #connections: OpenConnections;
  readonly #relayed = new Map<string, Relayed>();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(listener: Deno.TcpListener, target: RelayTarget, limits: ConnectionLimits = DEFAULT_LIMITS) {
    this.#listener = listener;
    this.#target = target;
    this.#connections = new OpenConnections(limits, () => performance.now());
    this.#sweep = setInterval(() => this.#connections.endOverdue(), Math.min(limits.stalledMs, limits.idleMs) / SWEEPS);
    void this.#acceptAll();
  }

  /** Tells whose request has come; the promise settles when it is answered in full, or its client is gone. */
  requested(route: Route, completed: Promise<void>): void {
    const relayed = this.#relayed.get(keyOf(route));
    if (relayed !== undefined) void this.#connections.follow(relayed.connection, completed);
  }

  /** Tells who was answered although the request was not complete: the runtime would wait for the rest of it for ever. */
  answeredEarly(route: Route): void {
    const relayed = this.#relayed.get(keyOf(route));
    if (relayed !== undefined) relayed.connection.owing = true;
  }

  /** Tells that a server is about to end: what it says from now on may be its last. */
  serverEnds(port: number): void {
    for (const { serverPort, exchange } of this.#relayed.values()) if (serverPort === port) exchange.serverEnds();
  }

  /** Takes no new connections; those that are open end with their servers. */
  stopListening(): void {
    closeQuietly(this.#listener);
  }

  /** Ends everything, once what servers that have ended said last has been passed on. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.stopListening();
    const passedOn = new AbortController();
    const late = systemTiming.delay(LAST_WORDS_MS, passedOn.signal).catch(() => {});
    await Promise.race([Promise.all(Array.from(this.#relayed.values(), ({ ended }) => ended)), late]);
    passedOn.abort();
    this.#connections.endAll();
  }

  async #acceptAll(): Promise<void> {
    while (true) {
      try {
        void this.#relay(await this.#listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        // Reset before it was accepted: whoever sends many of these must not keep others waiting.
        if (error instanceof Deno.errors.NotConnected) continue;
        // No file handle left: the sweep frees some.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    let server: Deno.TcpConn | undefined;
    const end = () => {
      closeQuietly(client);
      if (server !== undefined) closeQuietly(server);
    };
    const connection = this.#connections.add(end);
    if (connection === undefined) return end();
    try {
      // Whoever says nothing costs no connection of a server.
      const hello = new Uint8Array(FIRST_BUFFER_BYTES);
      const count = await client.read(hello);
      if (count === null) return;
      const { port } = this.#target();
      server = await Deno.connect({ hostname: "127.0.0.1", port });
      await this.#exchange(connection, { client, server, port, hello: hello.subarray(0, count) });
    } catch {
      // One side is gone, and so is the other.
    } finally {
      this.#connections.delete(connection);
      end();
    }
  }

  async #exchange(connection: OpenConnection, { client, server, port, hello }: Meeting): Promise<void> {
    const key = keyOf({ serverPort: port, clientPort: server.localAddr.port });
    const exchange = new ConnectionExchange({ client, server });
    const run = exchange.run(hello);
    this.#relayed.set(key, { connection, serverPort: port, exchange, ended: run.catch(() => {}) });
    await run.finally(() => this.#relayed.delete(key));
  }
}

function keyOf({ serverPort, clientPort }: Route): string {
  return `${serverPort}-${clientPort}`;
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed before.
  }
}
