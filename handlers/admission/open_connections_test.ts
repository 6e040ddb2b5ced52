import { assertEquals } from "@std/assert";
import { OpenConnections } from "./open_connections.ts";

function setUp(maxConnections = 10) {
  const clock = { now: 0 };
  const ended: string[] = [];
  const connections = new OpenConnections({ maxConnections, stalledMs: 10, idleMs: 100 }, () => clock.now);
  const open = (name: string) => connections.add(() => ended.push(name));
  return { clock, ended, connections, open };
}

Deno.test("OpenConnections ends who sends no request in time, and who rests for too long after an answer", async () => {
  const { clock, ended, connections, open } = setUp();
  open("silent");
  const user = open("user");
  if (user === undefined) throw new Error("there is room");
  await connections.follow(user, Promise.resolve());
  clock.now = 11;
  connections.endOverdue();
  assertEquals(ended, ["silent"]);
  clock.now = 101;
  connections.endOverdue();
  assertEquals([ended, connections.size], [["silent", "user"], 0]);
});

Deno.test("OpenConnections makes room by ending who was quiet for longest, and nobody who waits for an answer", async () => {
  const { ended, connections, open } = setUp(3);
  const [busy, first, second] = [open("busy"), open("first"), open("second")];
  if (busy === undefined || first === undefined || second === undefined) throw new Error("there is room");
  const answer = Promise.withResolvers<void>();
  const answering = connections.follow(busy, answer.promise);
  await connections.follow(first, Promise.resolve());
  open("third");
  open("fourth");
  assertEquals(ended, ["second", "first"]);
  answer.resolve();
  await answering;
  assertEquals(connections.size, 3);
});

Deno.test("OpenConnections refuses another one while each is being answered, also if the client is gone", async () => {
  const { ended, connections, open } = setUp(1);
  const only = open("only");
  if (only === undefined) throw new Error("there is room");
  const answer = Promise.withResolvers<void>();
  const answering = connections.follow(only, answer.promise);
  assertEquals(open("late"), undefined);
  answer.reject(new Error("broken pipe"));
  await answering;
  open("later");
  assertEquals(ended, ["only"]);
});

Deno.test("OpenConnections keeps none that ended while it was answered", async () => {
  const { connections, open } = setUp();
  const gone = open("gone");
  if (gone === undefined) throw new Error("there is room");
  const answer = Promise.withResolvers<void>();
  const answering = connections.follow(gone, answer.promise);
  connections.delete(gone);
  answer.resolve();
  await answering;
  assertEquals(connections.size, 0);
});

Deno.test("OpenConnections does not let one rest that owes the rest of a request", async () => {
  const { clock, ended, connections, open } = setUp();
  const slow = open("slow");
  if (slow === undefined) throw new Error("there is room");
  const answering = connections.follow(slow, Promise.resolve());
  slow.owing = true;
  await answering;
  clock.now = 11;
  connections.endOverdue();
  assertEquals(ended, ["slow"]);
});
