import { assertEquals } from "@std/assert";
import { breakLines, type LineFate } from "./watch_lines.ts";

async function read(fateOf: (line: string) => LineFate): Promise<string> {
  const body = ReadableStream.from(["one\ntw", "o\nthree\n", "four\n"]).pipeThrough(new TextEncoderStream());
  return await new Response(breakLines(body, fateOf)).text();
}

Deno.test("lines of a watch pass, are lost, or are cut off, and then the stream ends", async () => {
  assertEquals(await read(() => "pass"), "one\ntwo\nthree\nfour\n");
  assertEquals(await read((line) => line === "two" ? "drop" : "pass"), "one\nthree\nfour\n");
  assertEquals(await read((line) => line === "three" ? "truncate" : "pass"), "one\ntwo\nth");
});
