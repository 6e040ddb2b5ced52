import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { mayRest } from "../harness/held_lock.ts";
import { eventually } from "../harness/wait.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("concurrently");
  database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 1 });
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const { signal } = new AbortController();
const writing = { readOnly: false, lockTimeoutMs: 1_000, statementTimeoutMs: 20_000, signal };

async function failure(work: Promise<unknown>): Promise<PostgresError> {
  const error = await work.then(() => undefined, (thrown) => thrown);
  assert(error instanceof PostgresError, `it did not fail: ${error}`);
  return error;
}

function changed(changes: { readonly port?: string; readonly pathname?: string }): string {
  return Object.assign(new URL(server.url), changes).href;
}

async function until(condition: string): Promise<void> {
  await eventually(condition, async () => {
    const [row] = await server.asSuperuser(`SELECT (${condition}) AS holds`);
    return row?.holds === true || undefined;
  });
}

Deno.test("who leaves a statement outside of any transaction ends the wait alone: the server goes on", async () => {
  await database.transaction(writing, (transaction) => transaction.query("CREATE TABLE public.left_alone (a integer)"));
  const release = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holder = database.transaction(writing, async (transaction) => {
    await mayRest(transaction);
    await transaction.query("LOCK TABLE public.left_alone IN ROW EXCLUSIVE MODE");
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const abandon = new AbortController();
  const work = { lockName: "left", signal: new AbortController().signal, abandon: abandon.signal };
  const building = failure(database.concurrently(work, "CREATE INDEX CONCURRENTLY left_i ON public.left_alone (a)"));
  await until(
    "EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND lockers_total > 0)",
  );
  const stop = new AbortController();
  const stopped = failure(database.concurrently({ lockName: "stopped", signal: stop.signal }, "SELECT pg_sleep(60)"));
  const runs =
    "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)')";
  await until(runs);
  abandon.abort();
  assertEquals((await building).kind, "outcomeUnknown");
  // A statement that is stopped is canceled, and one that was canceled before it would have ended by then.
  stop.abort();
  await stopped;
  await until(`NOT ${runs}`);
  release.resolve();
  await holder;
  await until("EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.left_i') AND indisvalid)");
  await database.transaction(writing, (transaction) => transaction.query("DROP TABLE public.left_alone"));
});

Deno.test("a statement outside of any transaction goes to the direct address, which must name the same database", async () => {
  const directUrl = changed({ port: "1" });
  const settings = { url: server.url, applicationName: "tablewright", maxConnections: 1, directUrl };
  const pooled = openDatabase(settings);
  const rows = await pooled.transaction(writing, (transaction) => transaction.query("SELECT 1 AS one"));
  assertEquals(rows, [{ one: 1 }]);
  const work = { lockName: "direct", signal: new AbortController().signal };
  const error = await failure(pooled.concurrently(work, "CREATE INDEX CONCURRENTLY ON nothing (nothing)"));
  assert(/:1: connection refused/.test(error.message), error.message);
  await pooled.close();
  const other = changed({ pathname: "/another" });
  assertThrows(() => openDatabase({ ...settings, directUrl: other }), PostgresError, "must name the same database");
});
