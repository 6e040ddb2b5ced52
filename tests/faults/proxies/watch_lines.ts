/** What becomes of one line of a watch. */
export type LineFate = "pass" | "drop" | "truncate";

/**
 * A watch in which single lines are lost or cut off. Behind a line that was cut off the stream ends, as a connection that broke does.
 *
 * @param fateOf Asked about each line, without its end.
 */
export function breakLines(
  body: ReadableStream<Uint8Array>,
  fateOf: (line: string) => LineFate,
): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const fate = fateOf(line);
          if (fate === "drop") continue;
          if (fate === "pass") {
            controller.enqueue(encoder.encode(`${line}\n`));
            continue;
          }
          controller.enqueue(encoder.encode(line.slice(0, line.length / 2)));
          controller.terminate();
          return;
        }
      },
    }),
  );
}
