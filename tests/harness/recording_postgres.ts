import { Buffer } from "node:buffer";
import { delay } from "@std/async/delay";
import { closeQuietly, connectionsOf, writeAll } from "./connections.ts";

/** A way to a PostgreSQL server that writes down what is said on it. */
export interface PostgresWire extends AsyncDisposable {
  /** The given URL, through the wire. */
  readonly url: string;
  /** Statements by round trip: one list for each time that somebody spoke behind an answer to everything before. */
  readonly turns: readonly (readonly string[])[];
  /** How many statements the server had to parse. */
  readonly parsed: number;
  /** Forgets what was said. */
  clear(): void;
}

/** Longer than it takes a client to send what it sends at once. */
const LATENCY_MS = 10;
const [PARSE, BIND, FLUSH, SYNC, READY] = [..."PBHSZ"].map((letter) => letter.charCodeAt(0));

/** What was said on all connections together. */
class Record {
  turns: string[][] = [];
  parsed = 0;
  #unanswered = 0;

  say(text: string): void {
    // Nobody waits for the end of a transaction that changed nothing.
    if (text === "ROLLBACK") return;
    if (this.#unanswered === 0) this.turns.push([]);
    this.turns.at(-1)?.push(text);
  }

  sent(): void {
    this.#unanswered++;
  }

  answered(): void {
    this.#unanswered = Math.max(this.#unanswered - 1, 0);
  }
}

/** Every answer takes {@linkcode LATENCY_MS}, so that what is sent without waiting for it is told from what waits. One client at a time. */
export function startPostgresWire(serverUrl: string): PostgresWire {
  const target = new URL(serverUrl);
  const server = { hostname: target.hostname, port: Number(target.port) };
  const record = new Record();
  const ends = new Set<Deno.Conn>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const near of connectionsOf(listener)) {
      const far = await Deno.connect(server);
      for (const end of [near, far]) {
        end.setNoDelay(true);
        ends.add(end);
      }
      relay(near, far, record);
    }
  })();
  target.hostname = "127.0.0.1";
  target.port = String(listener.addr.port);
  return {
    url: target.href,
    get turns() {
      return record.turns;
    },
    get parsed() {
      return record.parsed;
    },
    clear() {
      record.turns = [];
      record.parsed = 0;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const end of ends) closeQuietly(end);
      await serving;
    },
  };
}

function relay(near: Deno.TcpConn, far: Deno.TcpConn, record: Record): void {
  const asked = readRequests(record);
  const told = new Messages(false, (type) => type === READY && record.answered());
  void pump({ from: near, to: far, delayMs: 0 }, (bytes) => asked.read(bytes));
  void pump({ from: far, to: near, delayMs: LATENCY_MS }, (bytes) => told.read(bytes));
}

function readRequests(record: Record): Messages {
  const names = new Map<string, string>();
  let unbound: string | undefined;
  return new Messages(true, (type, body) => {
    const [first = "", second = ""] = body.toString("utf8").split("\0");
    if (type === PARSE) {
      names.set(first, second);
      unbound = second;
      record.parsed++;
    } else if (type === BIND) {
      record.say(names.get(second) ?? second);
      unbound = undefined;
    } else if (type === FLUSH && unbound !== undefined) {
      // Only asked what it means; nobody waits for the Sync that follows.
      record.say(`DESCRIBE ${unbound}`);
      unbound = undefined;
    } else if (type === SYNC) {
      record.sent();
    }
  });
}

async function pump(
  { from, to, delayMs }: { readonly from: Deno.Conn; readonly to: Deno.Conn; readonly delayMs: number },
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  try {
    const buffer = new Uint8Array(64 * 1024);
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      const bytes = buffer.slice(0, count);
      if (delayMs > 0) await delay(delayMs);
      onBytes(bytes);
      await writeAll(to, bytes);
    }
  } catch {
    // One side is gone, and so goes the other.
  } finally {
    closeQuietly(from);
    closeQuietly(to);
  }
}

/** Cuts a stream into messages: a letter, a length, a body. The first of a client has no letter. */
class Messages {
  readonly #onMessage: (type: number | undefined, body: Buffer) => void;
  #bytes = Buffer.alloc(0);
  #isStartup: boolean;

  constructor(hasStartup: boolean, onMessage: (type: number | undefined, body: Buffer) => void) {
    this.#isStartup = hasStartup;
    this.#onMessage = onMessage;
  }

  read(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const header = this.#isStartup ? 0 : 1;
      if (this.#bytes.length < header + 4) return;
      const end = header + this.#bytes.readUInt32BE(header);
      if (this.#bytes.length < end) return;
      this.#onMessage(this.#isStartup ? undefined : this.#bytes[0], this.#bytes.subarray(header + 4, end));
      this.#isStartup = false;
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}
