const CHUNK_BYTES = 900;

/**
 * A body in pieces that go out at once. The runtime writes a piece of 1,024 bytes and more apart from the headers, and leaves
 * Nagle's algorithm on: so it waits 40 ms for the other side's delayed acknowledgement of them. Smaller ones share a write.
 */
export function smallChunks(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(sent, sent + CHUNK_BYTES));
      sent += CHUNK_BYTES;
    },
  });
}

/** What `fetch()` should send for a text: small ones as they are, so that the runtime may send them again by itself. */
export function requestBody(text: string): string | ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= CHUNK_BYTES ? text : smallChunks(bytes);
}
