import { assertEquals } from "@std/assert";
import { jsonInSmallChunks } from "./small_chunks.ts";

Deno.test("jsonInSmallChunks() sends the whole value, in pieces that no timer holds back", async () => {
  for (const length of [0, 10, 399, 900, 901, 100_000]) {
    const value = { text: "é".repeat(length) };
    const response = jsonInSmallChunks(value);
    const sizes: number[] = [];
    const [counted, read] = (response.body ?? new ReadableStream()).tee();
    const reading = new Response(read).json();
    for await (const chunk of counted) sizes.push(chunk.length);
    assertEquals(await reading, value);
    assertEquals(sizes.filter((size) => size > 900), []);
  }
});
