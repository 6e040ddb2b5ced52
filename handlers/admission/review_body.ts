import { ValueCounter } from "./count_values.ts";
import { readChunks } from "./read_chunks.ts";
import { type Leave, Room } from "./room.ts";

/** How much of reviews is held at a time, in bytes and in JSON values. */
export interface BodyLimits {
  /** Of one body. */
  readonly maxBytes: number;
  readonly maxValues: number;
  /** Of all bodies that are not small. */
  readonly roomBytes: number;
  /** Of all bodies that have more than a few. */
  readonly roomValues: number;
  /** More large bodies than these do not wait for room. */
  readonly maxWaiting: number;
  /** How long a large body may be on its way, in milliseconds: meanwhile its room is of no use. */
  readonly largeBodyMs: number;
}

/** A body, which is to be released when nothing of it is needed any more; or in one sentence why there is none, and its HTTP status. */
export type ReviewBody =
  | { readonly ok: true; readonly text: string; readonly release: () => void }
  | { readonly ok: false; readonly status: 408 | 413 | 503; readonly fault: string };

type Refusal = Extract<ReviewBody, { readonly ok: false }>;

/** Larger than objects usually are: these need no room, so that large bodies cannot keep usual reviews out. */
const SMALL_BYTES = 16_384;
const SMALL_VALUES = 1_000;

const TOO_SLOW: Refusal = { ok: false, status: 408, fault: "Cannot read the review: its body took too long" };
const NO_ROOM: Refusal = { ok: false, status: 503, fault: "Cannot take another large review now" };

/**
 * Reads the bodies of reviews within bounds of memory. A large body is not read before there is room for it: its sender waits. What is
 * read is counted before it becomes objects, which take many times its bytes.
 */
export class ReviewBodies {
  readonly #limits: BodyLimits;
  readonly #bytes: Room;
  readonly #values: Room;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#bytes = new Room(limits.roomBytes, limits.maxWaiting);
    this.#values = new Room(limits.roomValues, limits.maxWaiting);
  }

  /** @param signal The deadline of the review. Never rejects for what a sender does. */
  async read(request: Request, signal: AbortSignal): Promise<ReviewBody> {
    const { maxBytes, largeBodyMs } = this.#limits;
    const size = declaredBytes(request) ?? maxBytes;
    if (size > maxBytes) return this.#tooLarge();
    if (size <= SMALL_BYTES) return await this.#withValues(await readSmall(request, signal), signal);
    const leave = await this.#bytes.take(size, signal);
    if (leave === undefined) return NO_ROOM;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(largeBodyMs)]);
    const body = await this.#withValues(await this.#readLarge(request, limit), signal);
    if (!body.ok) leave();
    return body.ok ? { ...body, release: both(body.release, leave) } : body;
  }

  /** Whoever holds room for values waits for nothing more: bytes always come first. */
  async #withValues(read: CountedText | Refusal, signal: AbortSignal): Promise<ReviewBody> {
    if ("ok" in read) return read;
    const { text, values } = read;
    if (values <= SMALL_VALUES) return { ok: true, text, release() {} };
    const leave = await this.#values.take(values, signal);
    return leave === undefined ? NO_ROOM : { ok: true, text, release: leave };
  }

  async #readLarge(request: Request, signal: AbortSignal): Promise<CountedText | Refusal> {
    const counter = new ValueCounter();
    const decoder = new TextDecoder();
    let [text, bytes] = ["", 0];
    const take = (chunk: Uint8Array) => {
      bytes += chunk.length;
      const part = decoder.decode(chunk, { stream: true });
      counter.add(part);
      text += part;
      if (bytes > this.#limits.maxBytes) throw this.#tooLarge();
      if (counter.count > this.#limits.maxValues) throw this.#tooMany();
    };
    try {
      if (request.body !== null) await readChunks(request.body, take, signal);
    } catch (error) {
      return isRefusal(error) ? error : TOO_SLOW;
    }
    return { text: text + decoder.decode(), values: counter.count };
  }

  #tooLarge(): Refusal {
    const mebibytes = this.#limits.maxBytes / 1_048_576;
    return { ok: false, status: 413, fault: `Cannot read a review over ${mebibytes} MiB` };
  }

  #tooMany(): Refusal {
    return { ok: false, status: 413, fault: `Cannot read a review of more than ${this.#limits.maxValues} JSON values` };
  }
}

interface CountedText {
  readonly text: string;
  readonly values: number;
}

/** One that is so short is read in one go; its values are few enough to be counted afterwards. */
async function readSmall(request: Request, signal: AbortSignal): Promise<CountedText | Refusal> {
  const tooSlow = Promise.withResolvers<undefined>();
  const onAbort = () => tooSlow.resolve(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    // A sender that goes away in the middle gets the answer of one that is too slow: nobody reads it.
    const whole = request.text().catch(() => undefined);
    const text = await Promise.race([whole, tooSlow.promise]);
    if (text === undefined) return TOO_SLOW;
    const counter = new ValueCounter();
    counter.add(text);
    return { text, values: counter.count };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What the server makes sure of; `undefined` if it says nothing, or lets it come in chunks. */
function declaredBytes({ headers, body }: Request): number | undefined {
  if (body === null) return 0;
  const declared = headers.get("content-length");
  if (declared === null || headers.has("transfer-encoding")) return undefined;
  return /^\d+$/.test(declared) ? Number(declared) : undefined;
}

function isRefusal(error: unknown): error is Refusal {
  return typeof error === "object" && error !== null && "fault" in error;
}

function both(first: Leave, second: Leave): Leave {
  return () => {
    first();
    second();
  };
}
