import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../fake_timing.ts";
import { Deadline } from "./deadline.ts";

const DAY_MS = 24 * 60 * 60_000;

function setUp() {
  const timing = createFakeTiming();
  const exceeded: number[] = [];
  const turns = { left: 1 };
  const long = { take: () => turns.left > 0 && turns.left-- > 0, end: () => void turns.left++ };
  const onExceeded = () => exceeded.push(timing.uptime());
  const deadline = new Deadline({ timing, timeoutMs: 1_000, long, onExceeded });
  return { timing, deadline, exceeded, turns };
}

Deno.test("Deadline goes on by itself when a pause took as long as it may, and then begins again", async () => {
  const { timing, deadline, exceeded } = setUp();
  const resume = deadline.pause(5_000);
  await timing.tick(6_001);
  assertEquals(exceeded, [6_000]);
  resume?.();
  assertEquals(timing.pending(), 0);
});

Deno.test("Deadline gives each pause that is longer than it is a turn, which is back when the pause took as long as it may", async () => {
  const { timing, deadline, turns } = setUp();
  const short = deadline.pause(1_000);
  assertEquals(turns.left, 1);
  short?.();
  const resume = deadline.pause(1_001);
  assertEquals([turns.left, deadline.pause(5_000)], [0, undefined]);
  await timing.tick(1_001);
  assertEquals(turns.left, 1);
  resume?.();
  assertEquals(turns.left, 1);
  deadline.end();
});

Deno.test("Deadline stands during a pause that is longer than a timer can be", async () => {
  const { timing, deadline, exceeded } = setUp();
  const resume = deadline.pause(100 * DAY_MS);
  await timing.tick(DAY_MS);
  assertEquals([deadline.since, exceeded], [undefined, []]);
  resume?.();
  assertEquals(deadline.since, DAY_MS);
  deadline.end();
  assertEquals(timing.pending(), 0);
});

Deno.test("Deadline stands for ever only with a turn, which it gives back once; without one its clock goes on", async () => {
  const { timing, deadline, exceeded, turns } = setUp();
  const resume = deadline.pause(Infinity);
  await timing.tick(DAY_MS);
  assertEquals([deadline.since, turns.left], [undefined, 0]);
  resume?.();
  resume?.();
  assertEquals([deadline.since, turns.left], [DAY_MS, 1]);
  turns.left = 0;
  assertEquals(deadline.pause(Infinity), undefined);
  await timing.tick(1_000);
  assertEquals(exceeded, [DAY_MS + 1_000]);
});
