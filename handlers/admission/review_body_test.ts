import { assertEquals } from "@std/assert";
import { type BodyLimits, ReviewBodies, type ReviewBody } from "./review_body.ts";

const KIB = 1_024;
const LIMITS: BodyLimits = {
  maxBytes: 1_024 * KIB,
  maxValues: 10_000,
  roomBytes: 1_024 * KIB,
  roomValues: 10_000,
  maxWaiting: 2,
  largeBodyMs: 3_600_000,
};
const never = new AbortController().signal;

/** A request whose body says so when somebody begins to read it. */
function requestOf(text: string, headers: Record<string, string> = { "content-length": String(text.length) }) {
  const state = { isRead: false };
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      state.isRead = true;
      controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
  return { state, request: new Request("http://a/", { method: "POST", body, headers }) };
}

function textOf(body: ReviewBody): string | number {
  return body.ok ? body.text : body.status;
}

/** Lets everything go on that waits for nobody else. */
async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const channel = new MessageChannel();
  channel.port1.onmessage = () => resolve();
  channel.port2.postMessage(undefined);
  await promise;
  channel.port1.close();
}

Deno.test("ReviewBodies reads a large body only when there is room for it, and small ones beside that", async () => {
  const bodies = new ReviewBodies(LIMITS);
  const large = `"${"é".repeat(400 * KIB)}"`;
  const first = await bodies.read(requestOf(large, {}).request, never);
  assertEquals(textOf(first), large);
  const { state, request } = requestOf(large, {});
  const second = bodies.read(request, never);
  await settle();
  assertEquals(state.isRead, false);
  const small = await bodies.read(requestOf('{"a":1}').request, never);
  assertEquals(textOf(small), '{"a":1}');
  if (first.ok) first.release();
  assertEquals(textOf(await second), large);
});

Deno.test("ReviewBodies answers 503 to who finds no room before the deadline, or too many in line", async () => {
  const bodies = new ReviewBodies(LIMITS);
  const large = " ".repeat(1_024 * KIB);
  const held = await bodies.read(requestOf(large).request, never);
  const deadline = new AbortController();
  const waiting = [1, 2].map(() => bodies.read(requestOf(large).request, deadline.signal));
  await settle();
  assertEquals(textOf(await bodies.read(requestOf(large).request, never)), 503);
  deadline.abort();
  assertEquals((await Promise.all(waiting)).map(textOf), [503, 503]);
  if (held.ok) held.release();
  assertEquals(textOf(await bodies.read(requestOf(large).request, never)), large);
});

Deno.test("ReviewBodies lets one in after each kind of refusal: no room is lost", async () => {
  const bodies = new ReviewBodies(LIMITS);
  const many = `[${"1,".repeat(10_000)}1]`;
  const deadline = AbortSignal.abort();
  const endless = () => new Request("http://a/", { method: "POST", body: new ReadableStream() });
  // The timers of signals keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  const statuses = [
    await bodies.read(requestOf(" ".repeat(1_024 * KIB + 1)).request, never),
    await bodies.read(requestOf(" ".repeat(1_024 * KIB + 1), { "content-length": "20000" }).request, never),
    await bodies.read(requestOf(" ".repeat(1_024 * KIB + 1), {}).request, never),
    await bodies.read(requestOf(many).request, never),
    await bodies.read(requestOf(many, {}).request, never),
    await bodies.read(endless(), deadline),
    await new ReviewBodies({ ...LIMITS, largeBodyMs: 0 }).read(endless(), never),
  ].map(textOf);
  clearInterval(alive);
  assertEquals(statuses, [413, 413, 413, 413, 413, 408, 408]);
  const whole = " ".repeat(1_024 * KIB);
  assertEquals(textOf(await bodies.read(requestOf(whole).request, never)), whole);
});

Deno.test("ReviewBodies answers 408 to a sender that goes away in the middle, and never rejects", async () => {
  const bodies = new ReviewBodies(LIMITS);
  for (const length of [100, 20_000]) {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{"));
        controller.error(new TypeError("connection reset by peer"));
      },
    });
    const headers = { "content-length": String(length) };
    const request = new Request("http://a/", { method: "POST", body, headers });
    assertEquals(textOf(await bodies.read(request, never)), 408, `${length} bytes were announced`);
  }
});

Deno.test("ReviewBodies holds so many values at a time, also of small bodies", async () => {
  const bodies = new ReviewBodies(LIMITS);
  const dense = `[${"1,".repeat(6_000)}1]`;
  const first = await bodies.read(requestOf(dense).request, never);
  const second = bodies.read(requestOf(dense).request, never);
  const sparse = await bodies.read(requestOf("[1]").request, never);
  assertEquals(textOf(sparse), "[1]");
  await settle();
  if (first.ok) first.release();
  assertEquals(textOf(await second), dense);
});
