import { assertEquals } from "@std/assert";
import { ProbeMemory } from "./memory.ts";

const QUESTION = {
  kind: "nulls",
  column: { name: "a", shown: "a" },
  change: { kind: "SetNotNull", column: "a" },
  table: { schema: "public", name: "t" },
} as const;

Deno.test("ProbeMemory keeps an answer for ten seconds and at most a thousand of them", () => {
  let now = 0;
  const memory = new ProbeMemory(() => now);
  const answer = { question: QUESTION, kind: "holds" } as const;
  memory.keep("a", answer);
  now = 9_999;
  assertEquals(memory.find("a"), answer);
  now = 10_000;
  assertEquals(memory.find("a"), undefined);
  for (let number = 0; number < 1_001; number++) memory.keep(`k${number}`, answer);
  assertEquals([memory.find("k0"), memory.find("k1")], [undefined, answer]);
});

Deno.test("ProbeMemory forgets a violation soon: whoever mended it asks again at once", () => {
  let now = 0;
  const memory = new ProbeMemory(() => now);
  const answer = { question: QUESTION, kind: "violated", count: 1, more: false } as const;
  memory.keep("a", answer);
  now = 499;
  assertEquals(memory.find("a"), answer);
  now = 500;
  assertEquals(memory.find("a"), undefined);
});

Deno.test("ProbeMemory gives turns in order, one at a time, and passes over those who gave up", async () => {
  const memory = new ProbeMemory(() => 0);
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { signal } = new AbortController();
  const impatient = new AbortController();
  const first = memory.inTurn("t", signal, async () => {
    log.push("first");
    await gate.promise;
    log.push("first ends");
  });
  const second = memory.inTurn("t", impatient.signal, () => Promise.resolve(log.push("second")));
  const third = memory.inTurn("t", signal, () => Promise.resolve(log.push("third")));
  await memory.inTurn("other", signal, () => Promise.resolve(log.push("other")));
  impatient.abort();
  assertEquals(await second, undefined);
  gate.resolve();
  await Promise.all([first, third]);
  assertEquals(log, ["first", "other", "first ends", "third"]);
});

Deno.test("ProbeMemory gives the next turn when the work of one fails", async () => {
  const memory = new ProbeMemory(() => 0);
  const { signal } = new AbortController();
  const failing = memory.inTurn("t", signal, () => Promise.reject(new Error("no"))).catch(() => "failed");
  assertEquals(await memory.inTurn("t", signal, () => Promise.resolve("next")), "next");
  assertEquals(await failing, "failed");
});
