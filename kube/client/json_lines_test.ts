import { assertEquals, assertRejects } from "@std/assert";
import { decodeJsonLines } from "./json_lines.ts";

async function* chunked(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function decode(text: string, size: number): Promise<unknown[]> {
  return await Array.fromAsync(decodeJsonLines(chunked(text, size)));
}

Deno.test("decodeJsonLines() gives the same lines wherever the chunks end, inside a character too", async () => {
  const lines = [{ a: "é€😀" }, { b: [1, 2] }, "x"];
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  for (const size of [1, 2, 3, 5, 7, 1000]) assertEquals(await decode(text, size), lines);
});

Deno.test("decodeJsonLines() takes a truncated last line for the end of the stream", async () => {
  assertEquals(await decode('{"a":1}\n{"b":', 4), [{ a: 1 }]);
});

Deno.test("decodeJsonLines() skips empty lines", async () => {
  assertEquals(await decode("\n{}\n\r\n1\n", 3), [{}, 1]);
});

Deno.test("decodeJsonLines() refuses a whole line that is not JSON", async () => {
  await assertRejects(() => decode("<html>\n", 3), SyntaxError);
});
