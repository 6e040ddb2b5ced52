/** Where new connections go; it may change at any time. */
export type RelayTarget = () => { readonly port: number };

export interface RelayLimits {
  /** More at once are refused. */
  readonly maxConnections: number;
  /** How long a client may keep us waiting: nothing sent after connecting, or something that is not enough to be answered. */
  readonly stalledMs: number;
  /** How long a connection may rest after an answer: longer than a Go client keeps it (90 s), so that never we hang up on a request. */
  readonly idleMs: number;
}

export const DEFAULT_LIMITS: RelayLimits = { maxConnections: 4_096, stalledMs: 10_000, idleMs: 120_000 };

const BUFFER_BYTES = 16_384;
const SWEEPS = 5;

/** A client and the server that it is connected with. Times are in milliseconds of a clock that only goes on. */
interface Link {
  readonly client: Deno.TcpConn;
  server: Deno.TcpConn | undefined;
  /** Since when the client has owed or been owed an answer; `undefined` after one. */
  waitingSince: number | undefined;
  answeredAt: number;
}

/**
 * Passes the bytes of each connection on to a server behind it, which may be another one for the next connection.
 *
 * The listening socket stays the same while servers come and go: a socket that is closed would reset the connections that the kernel
 * has taken and nobody has accepted yet. It also cuts off who sends half a handshake or half a header and waits, which `Deno.serve`
 * would keep for ever.
 */
export class ConnectionRelay {
  readonly #listener: Deno.TcpListener;
  readonly #target: RelayTarget;
  readonly #limits: RelayLimits;
  readonly #links = new Set<Link>();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(listener: Deno.TcpListener, target: RelayTarget, limits: RelayLimits = DEFAULT_LIMITS) {
    this.#listener = listener;
    this.#target = target;
    this.#limits = limits;
    this.#sweep = setInterval(() => this.#cutOffSilent(), Math.min(limits.stalledMs, limits.idleMs) / SWEEPS);
    void this.#acceptAll();
  }

  /** Takes no new connections; those that are open end with their servers. */
  stopListening(): void {
    closeQuietly(this.#listener);
  }

  /** Ends everything. */
  close(): void {
    clearInterval(this.#sweep);
    this.stopListening();
    for (const link of this.#links) this.#end(link);
  }

  async #acceptAll(): Promise<void> {
    while (true) {
      try {
        const client = await this.#listener.accept();
        if (this.#links.size >= this.#limits.maxConnections) closeQuietly(client);
        else void this.#relay(client);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        // A client that was gone before it was accepted, or no file handle left: the sweep frees some.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    const now = performance.now();
    const link: Link = { client, server: undefined, waitingSince: now, answeredAt: now };
    this.#links.add(link);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target().port });
      link.server = server;
      client.setNoDelay(true);
      server.setNoDelay(true);
      await Promise.all([
        pump(client, server, () => link.waitingSince ??= performance.now()),
        pump(server, client, () => {
          link.waitingSince = undefined;
          link.answeredAt = performance.now();
        }),
      ]);
    } catch {
      // One side is gone, and so is the other.
    } finally {
      this.#end(link);
    }
  }

  #cutOffSilent(): void {
    const now = performance.now();
    for (const link of this.#links) {
      const isStalled = link.waitingSince !== undefined && now - link.waitingSince > this.#limits.stalledMs;
      if (isStalled || now - link.answeredAt > this.#limits.idleMs) this.#end(link);
    }
  }

  #end(link: Link): void {
    if (!this.#links.delete(link)) return;
    closeQuietly(link.client);
    if (link.server !== undefined) closeQuietly(link.server);
  }
}

/** Passes everything on, and the end of it too. */
async function pump(from: Deno.TcpConn, to: Deno.TcpConn, onData: () => void): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    onData();
    for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
  }
  await to.closeWrite();
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // It was closed before.
  }
}
