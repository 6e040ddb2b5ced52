import { assertEquals, assertRejects } from "@std/assert";
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
  const pool = new ConnectionPool({ open, timing });
  const lend = async (count: number, use: ConnectionUse) => {
    const loans = [];
    for (let index = 0; index < count; index++) {
      const loan = await pool.lend(use);
      loan.answered();
      loans.push(loan);
    }
    return loans;
  };
  return { timing, clients, pool, lend, open: () => clients.filter(({ isClosed }) => !isClosed).length };
}

Deno.test("ConnectionPool puts 7 watches and 83 requests on one connection, and opens another for what has no room", async () => {
  const { clients, lend } = start();
  await lend(7, "stream");
  const requests = await lend(83, "request");
  assertEquals(clients.length, 1);
  assertEquals((await lend(1, "request"))[0]?.client.number, 1);
  requests[0]?.release();
  requests[0]?.release();
  assertEquals((await lend(2, "request")).map(({ client }) => client.number), [0, 1], "one that ended makes room once");
});

Deno.test("ConnectionPool leaves room for requests beside any number of watches", async () => {
  const { clients, lend } = start();
  const streams = await lend(112, "stream");
  assertEquals([49, 50, 99, 100, 111].map((index) => streams[index]?.client.number), [0, 1, 1, 2, 2]);
  assertEquals((await lend(40, "request")).map(({ client }) => client.number), Array(40).fill(0));
  assertEquals(clients.length, 3);
});

Deno.test("ConnectionPool closes what was opened for a flood after it was idle for a minute, and nothing that is used", async () => {
  const { timing, clients, lend, open } = start();
  const flood = await lend(250, "request");
  const [stream] = await lend(1, "stream");
  for (const loan of flood) loan.release();
  assertEquals([clients.length, stream?.client.number], [3, 2]);
  await timing.tick(59_000);
  (await lend(1, "request"))[0]?.release();
  assertEquals(open(), 3, "the next wave finds them");
  await timing.tick(2_000);
  await lend(1, "request");
  assertEquals(clients.map(({ isClosed }) => isClosed), [false, true, false]);
  assertEquals(stream?.isCurrent, true);
});

Deno.test("ConnectionPool lends new connections after renew(), and what runs can tell that its own is left", async () => {
  const { clients, pool, lend, open } = start();
  const [before] = await lend(1, "stream");
  pool.renew();
  const [after] = await lend(1, "request");
  assertEquals([before?.isCurrent, after?.isCurrent, after?.client.number, open()], [false, true, 1, 1]);
  before?.release();
  pool.close();
  assertEquals([clients.length, open()], [2, 0]);
  await assertRejects(() => pool.lend("request"), Error, "this client is closed");
});

Deno.test("ConnectionPool lets the first of many requests open a connection, and the others wait for its answer", async () => {
  const { timing, clients, pool } = start();
  const lent: number[] = [];
  const loans = Array.from({ length: 60 }, async () => {
    const loan = await pool.lend("stream");
    lent.push(loan.client.number);
    return loan;
  });
  await timing.tick(0);
  assertEquals(lent, [0]);
  (await loans[0])?.answered();
  await timing.tick(0);
  assertEquals([lent.length, lent.at(-2), lent.at(-1), clients.length], [51, 0, 1, 2], "the next one opens the second");
  await timing.tick(249);
  assertEquals(lent.length, 51);
  await timing.tick(1);
  assertEquals([lent.length, clients.length], [60, 2], "what is slow is not waited for longer than a moment");
  assertEquals(timing.pending(), 0);
});

Deno.test("ConnectionPool lets the next request try where the first one failed, or where its connection was left", async () => {
  const { timing, clients, pool } = start();
  const first = await pool.lend("request");
  const [second, third] = [pool.lend("request"), pool.lend("request")];
  let isThirdLent = false;
  void third.then(() => isThirdLent = true);
  first.release();
  assertEquals([(await second).client.number, clients.length], [0, 1]);
  await timing.tick(0);
  assertEquals(isThirdLent, false, "one at a time");
  (await second).answered();
  await third;
  pool.renew();
  const opener = await pool.lend("request");
  const waiting = pool.lend("request");
  await timing.tick(0);
  pool.renew();
  assertEquals([opener.isCurrent, (await waiting).client.number, clients.length], [false, 2, 3]);
  pool.close();
  await timing.tick(0);
  assertEquals(timing.pending(), 0);
});
