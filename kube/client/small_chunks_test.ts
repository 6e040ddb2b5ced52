import { assertEquals } from "@std/assert";
import { requestBody } from "./small_chunks.ts";

Deno.test("requestBody() keeps a small text, and sends the whole of a large one in pieces that no timer holds back", async () => {
  assertEquals(requestBody("é".repeat(450)), "é".repeat(450));
  for (const length of [451, 512, 100_000]) {
    const text = "é".repeat(length);
    const body = requestBody(text);
    if (typeof body === "string") throw new Error(`${length} characters are one piece`);
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    assertEquals(new TextDecoder().decode(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).bytes()), text);
    assertEquals(pieces.filter((piece) => piece.length > 900), []);
  }
});
