/** For whoever fills the first one: connections that rest, of which there may be thousands, keep a small one. */
const BUFFER_BYTES = 16_384;
/** Of the buffer that a connection begins with. */
export const FIRST_BUFFER_BYTES = 1_024;

/** The two connections between which bytes are passed on. */
export interface Ends {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/**
 * Passes bytes on between a client and a server, both ways.
 *
 * A server that ends writes its last answers and closes at once. What the system still holds of them is thrown away if the client says
 * anything more (RFC 1122, 4.2.2.13), and over HTTP/2 it does: it acknowledges what it has read. So, once a server is about to end,
 * everything that it says is taken at once, and it hears its client only while it has nothing to say itself. For the same reason the
 * client is heard to its own end, whoever listens.
 */
export class ConnectionExchange {
  readonly #client: Deno.TcpConn;
  readonly #server: Deno.TcpConn;
  #serverEnds = false;
  #serverListens = true;
  /** Bytes that the server has said. */
  #said = 0;
  /** Settled when what the server has said is passed on. */
  #passed: Promise<void> = Promise.resolve();
  /** Settled when more is taken from the server. */
  #room: Promise<void> = Promise.resolve();

  constructor({ client, server }: Ends) {
    this.#client = client;
    this.#server = server;
    client.setNoDelay(true);
    server.setNoDelay(true);
  }

  /** From now on the server may close behind any answer. */
  serverEnds(): void {
    this.#serverEnds = true;
  }

  /**
   * Ends when both have said all.
   *
   * @param hello what the client said already.
   * @throws {Error} if one of them is gone before.
   */
  async run(hello: Uint8Array): Promise<void> {
    await Promise.all([this.#passRequests(hello), this.#passAnswers()]);
  }

  async #passRequests(hello: Uint8Array): Promise<void> {
    await this.#tell(hello);
    for await (const bytes of chunksOf(this.#client)) await this.#tell(bytes);
    await this.#server.closeWrite().catch(() => {});
  }

  async #tell(bytes: Uint8Array): Promise<void> {
    if (this.#serverEnds) await this.#serverIsQuiet();
    if (!this.#serverListens) return;
    // A server that is gone has been heard to its end, or tells it where it is heard.
    await writeAll(this.#server, bytes).catch(() => this.#serverListens = false);
  }

  async #passAnswers(): Promise<void> {
    for await (const bytes of chunksOf(this.#server)) {
      this.#said += bytes.length;
      if (this.#serverEnds) this.#passOn(bytes.slice());
      else await (this.#room = this.#passOn(bytes));
    }
    this.#serverListens = false;
    await this.#passed;
    await this.#client.closeWrite();
  }

  #passOn(bytes: Uint8Array): Promise<void> {
    this.#passed = this.#passed.then(() => writeAll(this.#client, bytes));
    // Whoever waits for the last one is told.
    this.#passed.catch(() => {});
    return this.#passed;
  }

  /** Waits for a turn of the event loop that brings nothing. */
  async #serverIsQuiet(): Promise<void> {
    await this.#room;
    for (let heard = -1; heard !== this.#said;) {
      heard = this.#said;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

/** What comes, until the end of it; all of it in one buffer, which the next chunk overwrites. */
async function* chunksOf(from: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    yield buffer.subarray(0, count);
    if (count === buffer.length && count < BUFFER_BYTES) buffer = new Uint8Array(BUFFER_BYTES);
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
