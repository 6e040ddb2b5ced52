import { assertEquals } from "@std/assert";
import { type Leave, Room } from "./room.ts";

const never = new AbortController().signal;

/** A room of ten whose guests are noted when they enter. */
function setUp(maxWaiting = 100) {
  const room = new Room(10, maxWaiting);
  const entered: string[] = [];
  const leaves = new Map<string, Leave>();
  const enter = async (name: string, amount: number, signal = never) => {
    const leave = await room.take(amount, signal);
    entered.push(leave === undefined ? `${name} went` : name);
    if (leave !== undefined) leaves.set(name, leave);
  };
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return entered.splice(0);
  };
  return { enter, settle, leave: (name: string) => leaves.get(name)?.() };
}

Deno.test("Room lets in who fits, the others in the order in which they came", async () => {
  const { enter, settle, leave } = setUp();
  const all = [enter("a", 4), enter("b", 6), enter("large", 10), enter("c", 1), enter("d", 1)];
  assertEquals(await settle(), ["a", "b"]);
  leave("a");
  // One that would fit must not pass the one that came first, or that would wait for ever.
  assertEquals(await settle(), []);
  leave("b");
  assertEquals(await settle(), ["large"]);
  leave("large");
  assertEquals(await settle(), ["c", "d"]);
  await Promise.all(all);
});

Deno.test("Room lets those behind in when who waits before them gives up, and who came too late leaves at once", async () => {
  const { enter, settle, leave } = setUp();
  const patience = new AbortController();
  const all = [enter("a", 9), enter("impatient", 10, patience.signal), enter("b", 1)];
  assertEquals(await settle(), ["a"]);
  patience.abort();
  assertEquals(await settle(), ["impatient went", "b"]);
  all.push(enter("late", 5, AbortSignal.abort()));
  assertEquals(await settle(), ["late went"]);
  leave("a");
  leave("b");
  all.push(enter("all", 10));
  assertEquals(await settle(), ["all"]);
  await Promise.all(all);
});

Deno.test("Room takes who wants more than there is for one who wants all, and gives back only once", async () => {
  const { enter, settle, leave } = setUp();
  const all = [enter("huge", 1e12)];
  assertEquals(await settle(), ["huge"]);
  leave("huge");
  leave("huge");
  all.push(enter("a", 10), enter("b", 10));
  assertEquals(await settle(), ["a"]);
  leave("a");
  assertEquals(await settle(), ["b"]);
  await Promise.all(all);
});

Deno.test("Room sends away who would be one too many to wait", async () => {
  const { enter, settle, leave } = setUp(1);
  const all = [enter("a", 10), enter("b", 10), enter("c", 10)];
  assertEquals(await settle(), ["a", "c went"]);
  leave("a");
  assertEquals(await settle(), ["b"]);
  await Promise.all(all);
});
