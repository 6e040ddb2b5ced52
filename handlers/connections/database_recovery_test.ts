import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createFakeTiming } from "../../kube/fake_timing.ts";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import type { Database, Transaction, TransactionOptions } from "../../postgres/session/client.ts";
import { PostgresError, type PostgresErrorFields } from "../../postgres/session/errors.ts";
import type { Greet } from "../../postgres/session/greeting.ts";
import { DatabaseRecovery, type DatabaseUnavailable } from "./database_recovery.ts";

/** A server that answers, or fails each transaction, or says nothing until it is aborted; or a pooler that lets each transaction wait. */
class PlayedServer {
  attempts = 0;
  greetings = 0;
  fault: PostgresError | "silent" | "queues" | undefined;

  readonly greet: Greet = async (signal) => {
    this.greetings++;
    if (this.fault === "silent") throw await silence(signal);
    if (this.fault instanceof PostgresError) throw this.fault;
  };

  readonly database: Database = {
    address: "host:5432/db",
    close: () => Promise.resolve(),
    concurrently: async ({ signal, abandon }) => {
      if (this.fault !== "silent") return true;
      throw await Promise.race([silence(signal), ...(abandon === undefined ? [] : [silence(abandon)])]);
    },
    transaction: async (options, work) => {
      this.attempts++;
      if (this.fault === "silent" || this.fault === "queues") throw await silence(options.signal);
      if (this.fault !== undefined) throw this.fault;
      return await work({ query: () => Promise.resolve([]), describe: () => Promise.resolve() });
    },
  };
}

function silence(signal: AbortSignal): Promise<PostgresError> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(failure("stopped"))));
}

function failure(message: string, fields: Partial<PostgresErrorFields> = {}): PostgresError {
  return new PostgresError(message, { kind: "retry", ...fields });
}

function setUp() {
  const server = new PlayedServer();
  const probed = new PlayedServer();
  const direct = new PlayedServer();
  const timing = createFakeTiming();
  const logger = memoryLogger();
  const ways = { database: probed.database, greet: probed.greet, greetDirectly: direct.greet };
  const recovery = new DatabaseRecovery({ ...ways, timing, logger });
  const guarded = recovery.guard(server.database);
  const { signal } = new AbortController();
  const use = (options: Partial<TransactionOptions> = {}) => {
    const limits = { readOnly: true, lockTimeoutMs: 1, statementTimeoutMs: 1, signal, ...options };
    return guarded.transaction(limits, (transaction: Transaction) => transaction.query("SELECT 2"));
  };
  const build = (stop: AbortSignal = signal) => guarded.concurrently({ lockName: "a", signal: stop }, "CREATE INDEX");
  return { server, probed, direct, timing, logger, recovery, use, build };
}

const refused = failure("Cannot connect to PostgreSQL at host:5432: connection refused");

async function thrownBy(action: () => Promise<unknown>): Promise<unknown> {
  return await action().then(() => undefined, (error) => error);
}

Deno.test("onBack tells the end of each outage, not before, and not to whoever has left", async () => {
  const { server, probed, timing, recovery, use } = setUp();
  const told: string[] = [];
  const leaving = new AbortController();
  recovery.onBack(() => told.push("first"), new AbortController().signal);
  recovery.onBack(() => told.push("second"), leaving.signal);
  const outage = async () => {
    server.fault = probed.fault = refused;
    await thrownBy(use);
    await timing.tick(4_000);
    const before = [...told];
    server.fault = probed.fault = undefined;
    await timing.tick(2_000);
    return before;
  };
  await use();
  assertEquals(await outage(), []);
  assertEquals(told, ["first", "second"]);
  leaving.abort();
  assertEquals(await outage(), ["first", "second"]);
  assertEquals(told, ["first", "second", "first"]);
});

Deno.test("DatabaseRecovery asks once every 2 s in an outage, however many need the database, and then brings all back", async () => {
  const { server, probed, timing, logger, recovery, use } = setUp();
  server.fault = probed.fault = refused;
  const back: string[] = [];
  for (let index = 0; index < 200; index++) {
    const key = `databasetable default/table-${index}`;
    const thrown = recovery.defer(await thrownBy(use), { key, retry: () => back.push(key) });
    const { message, retryAfterMs } = thrown as DatabaseUnavailable;
    assertEquals([message, retryAfterMs >= 300_000], [refused.message, true]);
  }
  assertEquals([server.attempts, probed.attempts], [1, 1]);
  await timing.tick(20_000);
  assertEquals([server.attempts, probed.attempts], [1, 11]);
  assertEquals(back, []);

  server.fault = probed.fault = undefined;
  await timing.tick(2_000);
  assertEquals([back.length, new Set(back).size], [200, 200]);
  await use();
  assertEquals(logger.entries.map(({ level }) => level), ["warn", "info"]);
  assertEquals(timing.pending(), 0);
});

Deno.test("DatabaseRecovery ends transactions of a server that fell silent, and tells of it after 16 s at most", async () => {
  const { server, probed, timing, logger, recovery, use } = setUp();
  server.fault = probed.fault = "silent";
  const waiting = Array.from({ length: 10 }, () => thrownBy(use));
  await timing.tick(16_000);
  for (const each of waiting) {
    assertEquals((await each as PostgresError).message, "Cannot use PostgreSQL at host:5432/db: it does not answer");
  }
  assertEquals(recovery.fault, "Cannot use PostgreSQL at host:5432/db: it does not answer");
  assertEquals([server.attempts, probed.greetings, probed.attempts], [10, 2, 1]);
  server.fault = probed.fault = undefined;
  await timing.tick(5_000);
  await use();
  assertEquals([logger.entries.map(({ level }) => level), timing.pending()], [["warn", "info"], 0]);
});

Deno.test("a transaction that takes long is left alone while the server answers others, or was late once", async () => {
  const { server, probed, timing, use } = setUp();
  server.fault = "silent";
  const stop = new AbortController();
  const long = thrownBy(() => use({ signal: stop.signal }));
  await timing.tick(60_000);
  probed.fault = "silent";
  await timing.tick(6_000);
  probed.fault = undefined;
  await timing.tick(60_000);
  assertEquals([server.attempts, probed.greetings > 10], [1, true]);
  stop.abort();
  assertEquals((await long as PostgresError).message, "stopped");
  assertEquals(timing.pending(), 0);
});

Deno.test("transactions that have all connections of a pooler are left alone, although nobody else gets one", async () => {
  const { server, probed, timing, use } = setUp();
  server.fault = probed.fault = "queues";
  const stop = new AbortController();
  const long = Array.from({ length: 4 }, () => thrownBy(() => use({ signal: stop.signal })));
  await timing.tick(600_000);
  assertEquals([server.attempts, probed.greetings > 10], [4, true]);
  stop.abort();
  for (const each of long) assertEquals((await each as PostgresError).message, "stopped");
  assertEquals(timing.pending(), 0);
});

Deno.test("a build is waited for as long as somebody answers on the direct way, and left after over a minute of silence", async () => {
  const { server, probed, direct, timing, build } = setUp();
  server.fault = probed.fault = "silent";
  let error: unknown;
  const building = thrownBy(build).then((thrown) => error = thrown);
  await timing.tick(3_600_000);
  direct.fault = "silent";
  await timing.tick(60_000);
  assertEquals([error, direct.greetings > 50], [undefined, true]);
  direct.fault = undefined;
  await timing.tick(120_000);
  direct.fault = "silent";
  await timing.tick(60_000);
  assertEquals(error, undefined, "silent for a minute");
  await timing.tick(70_000);
  await building;
  assertEquals((error as PostgresError).message, "Cannot use PostgreSQL at host:5432/db: it does not answer");
  assertEquals(probed.greetings, 0);
});

Deno.test("a build that ends, or is stopped, is asked about no more", async () => {
  const { server, timing, build } = setUp();
  assertEquals(await build(), true);
  server.fault = "silent";
  const stop = new AbortController();
  const building = thrownBy(() => build(stop.signal));
  await timing.tick(70_000);
  stop.abort();
  assertEquals((await building as PostgresError).message, "stopped");
  assertEquals(timing.pending(), 0);
});

Deno.test("DatabaseRecovery takes nothing for an outage while the server answers another connection", async () => {
  const { server, probed, timing, recovery, use } = setUp();
  for (const fault of [failure("lost", { kind: "outcomeUnknown" }), failure("gone", { sqlstate: "57P01" })]) {
    server.fault = fault;
    const error = await thrownBy(use);
    assertStrictEquals(recovery.defer(error, { key: "a", retry: () => {} }), fault);
  }
  assertEquals(probed.attempts, 2);
  server.fault = undefined;
  await use();
  assertEquals(timing.pending(), 0);
});

Deno.test("DatabaseRecovery does not even ask after a failure that says that the server is there", async () => {
  const { server, probed, use } = setUp();
  const answered: readonly PostgresErrorFields[] = [
    { kind: "condition", sqlstate: "42501" },
    { kind: "retry", sqlstate: "55P03" },
    { kind: "retry", sqlstate: "53300" },
    { kind: "bug" },
  ];
  for (const fields of answered) {
    server.fault = failure("answered", fields);
    assertStrictEquals(await thrownBy(use), server.fault);
  }
  assertEquals(probed.attempts, 0);
});

Deno.test("DatabaseRecovery lets others wait for the first suspicion, and blames no server for a deadline of ours", async () => {
  const { server, probed, timing, recovery, use } = setUp();
  server.fault = refused;
  probed.fault = "silent";
  const first = thrownBy(use);
  await timing.tick(0);
  const second = thrownBy(use);
  const hurried = new AbortController();
  const third = thrownBy(() => use({ signal: hurried.signal }));
  await timing.tick(0);
  assertEquals([server.attempts, probed.attempts], [1, 1]);
  hurried.abort();
  assert((await third) instanceof PostgresError);
  await timing.tick(3_000);
  assertStrictEquals(await first, refused);
  assertStrictEquals(await second, refused, "known to be down, without an attempt");

  recovery[Symbol.dispose]();
  await timing.tick(60_000);
  assertEquals(timing.pending(), 0);

  const other = setUp();
  other.server.fault = "silent";
  const stop = new AbortController();
  const stopped = thrownBy(() => other.use({ signal: stop.signal }));
  await other.timing.tick(0);
  stop.abort();
  assert((await stopped) instanceof PostgresError);
  assertEquals(other.probed.attempts, 0);
});

Deno.test("DatabaseRecovery defers nothing that was back before it was asked, and nothing else that failed meanwhile", async () => {
  const { server, probed, timing, recovery, use } = setUp();
  server.fault = probed.fault = refused;
  const error = await thrownBy(use);
  const bug = new TypeError("x is undefined");
  assertStrictEquals(recovery.defer(bug, { key: "a", retry: () => {} }), bug);
  server.fault = probed.fault = undefined;
  await timing.tick(2_000);
  assertStrictEquals(recovery.defer(error, { key: "a", retry: () => {} }), error);
  await use();
});

Deno.test("DatabaseRecovery brings back what waits for a database that is closed: its own probes end with it", async () => {
  const { server, probed, timing, recovery, use } = setUp();
  server.fault = probed.fault = refused;
  const error = await thrownBy(use);
  const back: string[] = [];
  recovery.defer(error, { key: "a", retry: () => back.push("a") });
  recovery[Symbol.dispose]();
  assertEquals([back, timing.pending()], [["a"], 0]);
});

Deno.test("DatabaseRecovery that is met in an outage goes on asking once every 2 s, and tells of it once", async () => {
  const { probed, timing, logger, recovery } = setUp();
  probed.fault = refused;
  for (let index = 0; index < 3; index++) await recovery.meet();
  assertEquals([recovery.fault !== undefined, probed.attempts], [true, 1]);
  await timing.tick(20_000);
  assertEquals(probed.attempts, 11);
  recovery[Symbol.dispose]();
  assertEquals([logger.entries.length, timing.pending()], [1, 0]);
});
