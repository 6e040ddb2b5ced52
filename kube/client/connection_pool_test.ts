import { assertEquals, assertThrows } from "@std/assert";
import { createFakeTiming } from "../fake_timing.ts";
import { ConnectionPool, type ConnectionUse } from "./connection_pool.ts";

class NumberedClient {
  isClosed = false;

  constructor(readonly number: number) {}

  close(): void {
    this.isClosed = true;
  }
}

function start() {
  const timing = createFakeTiming();
  const clients: NumberedClient[] = [];
  const open = () => {
    const client = new NumberedClient(clients.length);
    clients.push(client);
    return client;
  };
  const pool = new ConnectionPool({ open, uptime: () => timing.uptime() });
  const lend = (count: number, use: ConnectionUse) => Array.from({ length: count }, () => pool.lend(use));
  return { timing, clients, pool, lend, open: () => clients.filter(({ isClosed }) => !isClosed).length };
}

Deno.test("ConnectionPool puts 7 watches and 83 requests on one connection, and opens another for what has no room", () => {
  const { clients, lend } = start();
  lend(7, "stream");
  const requests = lend(83, "request");
  assertEquals(clients.length, 1);
  assertEquals(lend(1, "request")[0]?.client.number, 1);
  requests[0]?.release();
  requests[0]?.release();
  assertEquals(lend(2, "request").map(({ client }) => client.number), [0, 1], "one that ended makes room once");
});

Deno.test("ConnectionPool leaves room for requests beside any number of watches", () => {
  const { clients, lend } = start();
  const streams = lend(112, "stream");
  assertEquals([49, 50, 99, 100, 111].map((index) => streams[index]?.client.number), [0, 1, 1, 2, 2]);
  assertEquals(lend(40, "request").map(({ client }) => client.number), Array(40).fill(0));
  assertEquals(clients.length, 3);
});

Deno.test("ConnectionPool closes what was opened for a flood after it was idle for a minute, and nothing that is used", async () => {
  const { timing, clients, pool, lend, open } = start();
  const flood = lend(250, "request");
  const stream = pool.lend("stream");
  for (const loan of flood) loan.release();
  assertEquals([clients.length, stream.client.number], [3, 2]);
  await timing.tick(59_000);
  lend(1, "request")[0]?.release();
  assertEquals(open(), 3, "the next wave finds them");
  await timing.tick(2_000);
  lend(1, "request");
  assertEquals(clients.map(({ isClosed }) => isClosed), [false, true, false]);
  assertEquals(stream.isCurrent, true);
});

Deno.test("ConnectionPool lends new connections after renew(), and what runs can tell that its own is left", () => {
  const { clients, pool, lend, open } = start();
  const [before] = lend(1, "stream");
  pool.renew();
  const [after] = lend(1, "request");
  assertEquals([before?.isCurrent, after?.isCurrent, after?.client.number, open()], [false, true, 1, 1]);
  before?.release();
  pool.close();
  assertEquals([clients.length, open()], [2, 0]);
  assertThrows(() => pool.lend("request"), Error, "this client is closed");
});
