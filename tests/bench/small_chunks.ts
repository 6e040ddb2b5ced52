const CHUNK_BYTES = 900;

/**
 * A body in chunks that Deno's HTTP sends together with the headers. From 1,024 bytes on it would write headers and body
 * apart, and since its sockets keep Nagle's algorithm the second waits 40 ms for the other side's delayed ACK: the benchmark
 * would measure its own pause.
 */
export function smallChunks(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
        controller.enqueue(bytes.subarray(from, from + CHUNK_BYTES));
      }
      controller.close();
    },
  });
}
