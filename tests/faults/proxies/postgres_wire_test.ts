import { assertEquals } from "@std/assert";
import { backendOf, encodeError, encodeMessage, MessageReader, statementOf } from "./postgres_wire.ts";

const encoder = new TextEncoder();

function untyped(code: number, text = ""): Uint8Array {
  const body = encoder.encode(text);
  const bytes = new Uint8Array(8 + body.length);
  new DataView(bytes.buffer).setInt32(0, bytes.length);
  new DataView(bytes.buffer).setInt32(4, code);
  bytes.set(body, 8);
  return bytes;
}

Deno.test("messages of a client are found in whatever pieces they come", () => {
  const sent = [
    untyped(80_877_103),
    untyped(196_608, "user\0me\0\0"),
    encodeMessage("P", encoder.encode("\0COMMIT\0\0\0")),
  ];
  const bytes = sent.flatMap((each) => [...each]);
  for (const size of [1, 7, bytes.length]) {
    const reader = new MessageReader("client");
    const found = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...reader.push(new Uint8Array(bytes.slice(at, at + size))));
    }
    assertEquals(found.map(({ type }) => type), ["", "", "P"]);
    assertEquals(found.map(({ bytes }) => bytes), sent);
    assertEquals(found.map(statementOf), [undefined, undefined, "COMMIT"]);
  }
});

Deno.test("the answer to a request for TLS is one letter, before all that has a length", () => {
  const reader = new MessageReader("server");
  const messages = [...reader.push(encoder.encode("N")), ...reader.push(encodeMessage("N", encoder.encode("notice")))];
  assertEquals(messages.map(({ type, bytes }) => [type, bytes.length]), [["N", 1], ["N", 11]]);
});

Deno.test("what a server sends has a letter from the beginning", () => {
  const key = encodeMessage("K", new Uint8Array([0, 0, 1, 2, 9, 9, 9, 9]));
  const messages = new MessageReader("server").push(new Uint8Array([...key, ...encodeError("53300", "full")]));
  assertEquals(messages.map(({ type }) => type), ["K", "E"]);
  assertEquals(messages.map(backendOf), [258, undefined]);
});
