import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../../kube/fake_timing.ts";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { NO_CONNECTIONS, NO_WRITES, Refusals } from "./refusals.ts";

function refusal(sqlstate = NO_WRITES.sqlstate): PostgresError {
  return new PostgresError("refused", { kind: "retry", sqlstate });
}

/** A server that says whether it takes writes, or fails. */
class PlayedServer {
  questions = 0;
  setting: "on" | "off" | PostgresError = "on";

  readonly database: Database = {
    address: "host:5432/db",
    close: () => Promise.resolve(),
    concurrently: () => Promise.reject(new Error("no statement runs outside of a transaction here")),
    transaction: async (_options, work) => {
      this.questions++;
      const { setting } = this;
      if (setting instanceof PostgresError) throw setting;
      const query = <Row>() => Promise.resolve([{ setting }] as readonly unknown[] as readonly Row[]);
      return await work({ query, describe: () => Promise.resolve() });
    },
  };
}

function setUp(kind = NO_WRITES) {
  const server = new PlayedServer();
  const timing = createFakeTiming();
  const writes = new Refusals(kind, { database: server.database, timing, logger: memoryLogger() });
  const back: string[] = [];
  const refuse = (key: string) => {
    const error = refusal(kind.sqlstate);
    writes.note(error);
    return writes.keep(error, { key, retry: () => back.push(key) });
  };
  return { server, timing, writes, back, refuse };
}

Deno.test("Refusals asks once every 2 s, however many were refused, and brings all back when it is over", async () => {
  const { server, timing, back, refuse } = setUp();
  for (let index = 0; index < 200; index++) assertEquals(refuse(`table-${index}`), true);
  await timing.tick(600_000);
  assertEquals([server.questions, back], [300, []]);
  server.setting = new PostgresError("gone", { kind: "retry" });
  await timing.tick(10_000);
  server.setting = "off";
  await timing.tick(2_000);
  assertEquals([server.questions, back.length], [306, 200]);
  await timing.tick(60_000);
  assertEquals([server.questions, timing.pending()], [306, 0]);
});

Deno.test("Refusals asks less often when its sessions are told otherwise than those that write", async () => {
  const { server, timing, back, refuse } = setUp();
  server.setting = "off";
  const at: number[] = [];
  for (let round = 0; round < 7; round++) {
    const start = timing.uptime();
    refuse("table");
    while (back.length <= round) await timing.tick(1_000);
    at.push((timing.uptime() - start) / 1_000);
  }
  assertEquals(at, [2, 4, 8, 16, 32, 60, 60]);
  await timing.tick(60_000);
  refuse("table");
  await timing.tick(2_000);
  assertEquals(back.length, 8);
});

Deno.test("Refusals keeps nothing else and nothing that was back before, and lets go what waits when it is disposed", async () => {
  const { server, timing, writes, back, refuse } = setUp();
  const lock = new PostgresError("lock", { kind: "retry", sqlstate: "55P03" });
  writes.note(lock);
  assertEquals(writes.keep(lock, { key: "a", retry: () => {} }), false);
  const late = refusal();
  writes.note(late);
  server.setting = "off";
  await timing.tick(2_000);
  assertEquals(writes.keep(late, { key: "a", retry: () => {} }), false);
  refuse("b");
  writes[Symbol.dispose]();
  await timing.tick(600_000);
  assertEquals([back, server.questions, timing.pending()], [["b"], 1, 0]);
});

Deno.test("a server that takes no more connections need not take writes to be asked again", async () => {
  const { server, timing, back, refuse } = setUp(NO_CONNECTIONS);
  server.setting = refusal(NO_CONNECTIONS.sqlstate);
  refuse("table");
  await timing.tick(10_000);
  assertEquals(back, []);
  server.setting = "on";
  await timing.tick(2_000);
  assertEquals(back, ["table"]);
});
