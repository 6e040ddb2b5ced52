/**
 * Decodes newline-delimited JSON, as a watch sends it.
 *
 * Chunks may end anywhere, inside a character too. A last line without its newline was cut off: it is dropped, because half
 * an event is none.
 *
 * @throws {SyntaxError} if a whole line is not JSON.
 */
export async function* decodeJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    // Only the new text can hold the next newline: a long line is not searched again with each chunk.
    let searched = rest.length;
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = rest.indexOf("\n", searched); end >= 0; end = rest.indexOf("\n", searched)) {
      const line = rest.slice(start, end);
      start = searched = end + 1;
      if (line.trim() !== "") yield JSON.parse(line);
    }
    if (start > 0) rest = rest.slice(start);
  }
}
