import { assertEquals } from "@std/assert";
import { WaitTimes } from "./wait_times.ts";

Deno.test("WaitTimes doubles what one object waits, up to the longest", () => {
  const waits = new WaitTimes({ firstMs: 10, longestMs: 60 });
  assertEquals([1, 2, 3, 4, 5].map(() => waits.next("a")), [10, 20, 40, 60, 60]);
  assertEquals(waits.next("b"), 10);
  waits.forget("a");
  assertEquals(waits.next("a"), 10);
});

Deno.test("WaitTimes begins again with another wish", () => {
  const waits = new WaitTimes({ firstMs: 10, longestMs: 60 });
  assertEquals(["x", "x", "y", "y"].map((wish) => waits.next("a", wish)), [10, 20, 10, 20]);
});
