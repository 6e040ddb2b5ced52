const CHUNK_BYTES = 65_536;

interface ChunkReader {
  /** `undefined` at the end. */
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly cancel: () => Promise<void>;
}

/**
 * Reads a body chunk by chunk. What a server receives comes in one and the same buffer, so that a large body leaves nothing behind for
 * the garbage collector, which is not in a hurry about buffers.
 *
 * @param take Gets each chunk, which is good until it returns. What it throws ends the reading.
 * @throws the signal's reason when it aborts, and whatever the body fails with.
 */
export async function readChunks(
  body: ReadableStream<Uint8Array>,
  take: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const reader = openReader(body);
  // A reader that is cancelled is at its end. How a body fails that nobody wants any more is of no interest.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) take(chunk);
    signal.throwIfAborted();
  } catch (error) {
    cancel();
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function openReader(body: ReadableStream<Uint8Array>): ChunkReader {
  try {
    return openByteReader(body.getReader({ mode: "byob" }));
  } catch (error) {
    // A text that became a request in this process is no stream of bytes.
    if (!(error instanceof TypeError)) throw error;
    const reader = body.getReader();
    return { read: async () => (await reader.read()).value, cancel: () => reader.cancel() };
  }
}

function openByteReader(reader: ReadableStreamBYOBReader): ChunkReader {
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  return {
    async read() {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      // It was taken away from us to be filled, and is back.
      buffer = value.buffer;
      return value;
    },
    cancel: () => reader.cancel(),
  };
}
