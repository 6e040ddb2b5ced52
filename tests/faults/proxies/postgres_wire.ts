/** One message of PostgreSQL's protocol 3, as it was on the wire. */
export interface WireMessage {
  /** One letter; empty for what a client sends first, which has none. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

const SSL_REQUEST = 80_877_103;
/** What a server says to that: "S" or "N", and nothing else. No login begins with either letter. */
const SSL_ANSWERS = "SN";
const UNTYPED_HEADER = 4;
const TYPED_HEADER = 5;

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  #rest = new Uint8Array();
  #isTyped: boolean;
  #mayAnswerSsl: boolean;

  /** @param side Only a client begins without a letter. */
  constructor(side: "client" | "server") {
    this.#isTyped = side === "server";
    this.#mayAnswerSsl = side === "server";
  }

  /** The messages that are complete with these bytes. */
  push(chunk: Uint8Array): readonly WireMessage[] {
    this.#rest = concat(this.#rest, chunk);
    const messages: WireMessage[] = [];
    for (let message = this.#take(); message !== undefined; message = this.#take()) messages.push(message);
    return messages;
  }

  #take(): WireMessage | undefined {
    if (this.#mayAnswerSsl && this.#rest.length > 0) {
      this.#mayAnswerSsl = false;
      const type = String.fromCharCode(this.#rest[0] ?? 0);
      if (SSL_ANSWERS.includes(type)) return { type, bytes: this.#cut(1) };
    }
    const header = this.#isTyped ? TYPED_HEADER : UNTYPED_HEADER;
    if (this.#rest.length < header) return undefined;
    const length = int32(this.#rest, header - 4) + header - 4;
    if (this.#rest.length < length) return undefined;
    const bytes = this.#cut(length);
    const type = this.#isTyped ? String.fromCharCode(bytes[0] ?? 0) : "";
    // Behind a request for TLS comes another one without a letter.
    if (!this.#isTyped) this.#isTyped = int32(bytes, 4) !== SSL_REQUEST;
    return { type, bytes };
  }

  #cut(length: number): Uint8Array {
    const bytes = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return bytes;
  }
}

/** The SQL of a Parse message; `undefined` for every other one. */
export function statementOf({ type, bytes }: WireMessage): string | undefined {
  if (type !== "P") return undefined;
  const nameEnd = bytes.indexOf(0, TYPED_HEADER);
  return new TextDecoder().decode(bytes.subarray(nameEnd + 1, bytes.indexOf(0, nameEnd + 1)));
}

/** The process number of the session that a BackendKeyData message tells; `undefined` for every other one. */
export function backendOf({ type, bytes }: WireMessage): number | undefined {
  return type === "K" ? int32(bytes, TYPED_HEADER) : undefined;
}

/** One message with a letter. */
export function encodeMessage(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TYPED_HEADER + body.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, body.length + 4);
  bytes.set(body, TYPED_HEADER);
  return bytes;
}

/** An ErrorResponse, as the server sends it in place of an answer. */
export function encodeError(sqlstate: string, message: string): Uint8Array {
  return encodeMessage("E", new TextEncoder().encode(`SFATAL\0VFATAL\0C${sqlstate}\0M${message}\0\0`));
}

function int32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
