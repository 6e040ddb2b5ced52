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

/** For whoever fills the first one: connections that rest, of which there may be thousands, keep a small one. */
const BUFFER_BYTES = 16_384;
const FIRST_BUFFER_BYTES = 1_024;
/** A client that hears that its server has ended leaves at once; who stays is not waited for any longer. */
const LAST_WORDS_MS = 1_000;
const SWEEPS = 5;
const RETRY_MS = 10;

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
  readonly #routes = new Map<string, OpenConnection>();
  readonly #exchanges = new Set<Promise<void>>();
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
    const connection = this.#routes.get(keyOf(route));
    if (connection !== undefined) void this.#connections.follow(connection, completed);
  }

  /** Tells who was answered although the request was not complete: the runtime would wait for the rest of it for ever. */
  answeredEarly(route: Route): void {
    const connection = this.#routes.get(keyOf(route));
    if (connection !== undefined) connection.owing = true;
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
    await Promise.race([Promise.all(this.#exchanges), late]);
    passedOn.abort();
    this.#connections.endAll();
  }

  async #acceptAll(): Promise<void> {
    while (true) {
      try {
        void this.#relay(await this.#listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        // A client that was gone before it was accepted, or no file handle left: the sweep frees some.
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
      const key = keyOf({ serverPort: port, clientPort: server.localAddr.port });
      this.#routes.set(key, connection);
      const passing = exchange({ client, server, hello: hello.subarray(0, count) });
      const exchanged = passing.catch(() => {});
      this.#exchanges.add(exchanged);
      await passing.finally(() => {
        this.#routes.delete(key);
        this.#exchanges.delete(exchanged);
      });
    } catch {
      // One side is gone, and so is the other.
    } finally {
      this.#connections.delete(connection);
      end();
    }
  }
}

function keyOf({ serverPort, clientPort }: Route): string {
  return `${serverPort}-${clientPort}`;
}

interface Exchange {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** What the client said already. */
  readonly hello: Uint8Array;
}

async function exchange({ client, server, hello }: Exchange): Promise<void> {
  client.setNoDelay(true);
  server.setNoDelay(true);
  await writeAll(server, hello);
  // Neither way ends the other: a server that has said its last closes, and what its client then acknowledges fails, while the answer is
  // still being passed on.
  await Promise.allSettled([pump(client, server), pump(server, client)]);
}

/** Passes everything on, and the end of it too. */
async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  let buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, buffer.subarray(0, count));
    if (count === buffer.length && count < BUFFER_BYTES) buffer = new Uint8Array(BUFFER_BYTES);
  }
  await to.closeWrite();
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed before.
  }
}
