import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { limitBodyBytes } from "./body_room.ts";

const KIB = 1_024;

/** An app whose answers wait until they are released, with room for two bodies of 100 KiB. */
function setUp() {
  const app = new Hono();
  const gate = Promise.withResolvers<void>();
  app.use(limitBodyBytes({ room: 200 * KIB, largest: 100 * KIB }));
  app.post("/", async (c) => {
    await gate.promise;
    return c.text("judged");
  });
  const post = async (headers: Record<string, string>) => {
    const answer = await app.request("/", { method: "POST", body: "{}", headers });
    await answer.text();
    return [answer.status, answer.headers.get("retry-after")];
  };
  const ofSize = (bytes: number) => post({ "content-length": String(bytes) });
  return { post, ofSize, release: gate.resolve };
}

Deno.test("limitBodyBytes() refuses large bodies over the room, and lets small ones pass beside them", async () => {
  const { ofSize, release } = setUp();
  const held = [ofSize(100 * KIB), ofSize(90 * KIB)];
  assertEquals(await ofSize(65 * KIB), [503, "1"]);
  const small = Array.from({ length: 50 }, () => ofSize(64 * KIB));
  release();
  for (const each of [...held, ...small]) assertEquals(await each, [200, null]);
  assertEquals(await ofSize(100 * KIB), [200, null]);
});

Deno.test("limitBodyBytes() takes a body of unknown size for the largest one", async () => {
  for (const headers of [{}, { "content-length": "x" }, { "content-length": "2", "transfer-encoding": "chunked" }]) {
    const { post, ofSize, release } = setUp();
    const held = [post(headers), post(headers)];
    assertEquals(await ofSize(65 * KIB), [503, "1"]);
    release();
    for (const each of held) assertEquals(await each, [200, null]);
  }
});

Deno.test("limitBodyBytes() leaves a body over the largest to whoever refuses it, and its room is free again", async () => {
  const { ofSize, release } = setUp();
  release();
  for (let index = 0; index < 5; index++) assertEquals(await ofSize(1e12), [200, null]);
});
