import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Database,
  openDatabase,
  type Transaction,
  type TransactionOptions,
} from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { greetingOf } from "../../postgres/session/greeting.ts";
import { quoteLiteral } from "../../postgres/text/identifier.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("client");
  database = open(server.url);
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

function open(url: string, maxConnections = 2): Database {
  return openDatabase({ url, applicationName: "tablewright-test", maxConnections });
}

function options(changes: Partial<TransactionOptions> = {}): TransactionOptions {
  const signal = new AbortController().signal;
  return { readOnly: true, lockTimeoutMs: 1_000, statementTimeoutMs: 20_000, signal, ...changes };
}

function read<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.transaction(options(), work);
}

function write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.transaction(options({ readOnly: false }), work);
}

async function failure(work: Promise<unknown>): Promise<PostgresError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PostgresError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Waits for a condition of the server, at most 10 s. */
async function until(condition: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const [row] = await server.asSuperuser(`SELECT (${condition}) AS holds`);
    if (row?.holds === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never held: ${condition}`);
}

Deno.test("transaction() sends parameters as text of the type that the statement says", async () => {
  const list = ["a", 'b"\\', "NULL", "", null];
  const rows = await read((transaction) =>
    transaction.query(
      `SELECT $1::text AS text, $2::int8 AS int8, $3::text[] = ARRAY['a', 'b"\\', 'NULL', '', NULL] AS list,
         $4::text::jsonb AS json, $5::jsonb AS object, $6::boolean AS boolean, $7::oid AS oid, $8::text IS NULL AS nothing`,
      ["it's; --", 2 ** 53, list, JSON.stringify({ a: [1] }), { b: 'x"' }, true, 5, undefined],
    )
  );
  assertEquals(rows, [{
    text: "it's; --",
    int8: "9007199254740992",
    list: true,
    json: { a: [1] },
    object: { b: 'x"' },
    boolean: true,
    oid: 5,
    nothing: true,
  }]);
});

Deno.test("a second statement in one text is refused by the server", async () => {
  for (const text of ["SELECT 1; CREATE TABLE public.pwned ()", "SELECT 1; SELECT 2", "COMMIT; SELECT 1"]) {
    assertEquals((await failure(write((transaction) => transaction.query(text)))).sqlstate, "42601", text);
    assertEquals((await failure(write((transaction) => transaction.query(`${text} -- $1`, [])))).sqlstate, "42601");
    assertEquals((await failure(read((transaction) => transaction.describe(text)))).sqlstate, "42601");
  }
});

Deno.test("settings of the database or the role change nothing", async () => {
  const settings = {
    search_path: "evil, pg_catalog",
    standard_conforming_strings: "off",
    quote_all_identifiers: "on",
    transform_null_equals: "on",
    DateStyle: "German, DMY",
    IntervalStyle: "sql_standard",
    TimeZone: "Asia/Tokyo",
    bytea_output: "escape",
    default_transaction_isolation: "serializable",
  };
  for (const [name, value] of Object.entries(settings)) {
    await server.asSuperuser(`ALTER DATABASE tw_client SET ${name} = ${name === "search_path" ? value : `'${value}'`}`);
  }
  await server.asSuperuser(
    "CREATE SCHEMA evil",
    "CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT 1 / 0 $$",
    "GRANT USAGE ON SCHEMA evil TO PUBLIC",
  );
  const fresh = open(server.url);
  try {
    const value = "\\' || x; --";
    const [row] = await fresh.transaction(options(), (transaction) =>
      transaction.query<Record<string, unknown>>(
        `SELECT current_setting('search_path') AS path, ${quoteLiteral(value)} AS literal, 'a\\b' AS plain,
           '2024-02-01'::date::text AS date, '1 day 2 hours'::interval::text AS interval,
           '2024-02-01 00:00Z'::timestamptz::text AS time, '\\x00ff'::bytea::text AS bytea,
           current_setting('transaction_isolation') AS isolation, current_setting('statement_timeout') AS timeout,
           current_setting('application_name') AS application`,
      ));
    assertEquals(row, {
      path: "pg_catalog, pg_temp",
      literal: value,
      plain: "a\\b",
      date: "2024-02-01",
      interval: "1 day 02:00:00",
      time: "2024-02-01 00:00:00+00",
      bytea: "\\x00ff",
      isolation: "read committed",
      timeout: "20s",
      application: "tablewright-test",
    });
  } finally {
    await fresh.close();
    for (const name of Object.keys(settings)) await server.asSuperuser(`ALTER DATABASE tw_client RESET ${name}`);
  }
});

Deno.test("a read-only transaction cannot write", async () => {
  assertEquals(
    (await failure(read((transaction) => transaction.query("CREATE TABLE public.no ()")))).sqlstate,
    "25006",
  );
});

Deno.test("transaction() commits only if no statement failed, waited for or not", async () => {
  await write((transaction) => transaction.query("CREATE TABLE public.kept (n integer)"));
  const swallowed = write(async (transaction) => {
    await transaction.query("INSERT INTO public.kept VALUES (1)");
    await transaction.query("SELECT 1 / 0").catch(() => {});
  });
  assertEquals((await failure(swallowed)).sqlstate, "22012");
  const unawaited = write(async (transaction) => {
    transaction.query("INSERT INTO public.kept VALUES (2)");
    transaction.query("SELECT nothing").catch(() => {});
    await Promise.resolve();
  });
  assertEquals((await failure(unawaited)).sqlstate, "42703");
  const thrown = write(async (transaction) => {
    await transaction.query("INSERT INTO public.kept VALUES (3)");
    throw new RangeError("mine");
  });
  await assertRejects(() => thrown, RangeError, "mine");
  await write((transaction) => transaction.query("INSERT INTO public.kept VALUES ($1::int)", [4]));
  assertEquals(await read((transaction) => transaction.query("SELECT n FROM public.kept")), [{ n: 4 }]);
});

Deno.test("a transaction cannot be used after its end", async () => {
  let kept: Transaction | undefined;
  await read((transaction) => {
    kept = transaction;
    return Promise.resolve();
  });
  await assertRejects(() => kept?.query("SELECT 1") ?? Promise.resolve(), Error, "has ended");
});

Deno.test("describe() type-checks and executes nothing", async () => {
  await write((transaction) => transaction.query("CREATE SEQUENCE public.counter"));
  await read(async (transaction) => {
    await transaction.describe("SELECT nextval('public.counter')");
    await transaction.describe("DROP SEQUENCE public.counter");
    assertEquals(await transaction.query("SELECT is_called FROM public.counter"), [{ is_called: false }]);
  });
  const error = await failure(read((transaction) => transaction.describe("SELECT CAST('secret' AS integer)")));
  assertEquals(error.sqlstate, "22P02");
  assert(!error.message.includes("secret"));
});

Deno.test("a NUL is an error at once", async () => {
  for (const text of ["SELECT 1\0; DROP TABLE x"]) {
    assertEquals((await failure(read((transaction) => transaction.query(text)))).kind, "bug");
  }
  assertEquals((await failure(read((transaction) => transaction.query("SELECT $1::text", ["a\0b"])))).kind, "bug");
  assertEquals(await read((transaction) => transaction.query("SELECT 1 AS one")), [{ one: 1 }]);
});

Deno.test("an abort ends a running statement here and on the server", async () => {
  const controller = new AbortController();
  const sleeping = database.transaction(
    options({ signal: controller.signal }),
    (transaction) => transaction.query("SELECT pg_sleep(100)"),
  );
  sleeping.catch(() => {});
  const running = "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(100)' AND state = 'active')";
  await until(running);
  controller.abort();
  assertEquals((await failure(sleeping)).kind, "retry");
  await until(`NOT ${running}`);
  assertEquals(await read((transaction) => transaction.query("SELECT 1 AS one")), [{ one: 1 }]);
});

Deno.test("an abort ends work that waits for something else", async () => {
  const controller = new AbortController();
  const waiting = database.transaction(options({ signal: controller.signal }), () => {
    controller.abort();
    return new Promise<never>(() => {});
  });
  assertEquals((await failure(waiting)).kind, "retry");
});

Deno.test("an abort ends the wait for a connection", async () => {
  const single = open(server.url, 1);
  const gate = Promise.withResolvers<void>();
  const first = single.transaction(options(), () => gate.promise);
  const controller = new AbortController();
  const second = failure(single.transaction(options({ signal: controller.signal }), () => Promise.resolve()));
  const third = single.transaction(options(), (transaction) => transaction.query("SELECT 3 AS three"));
  controller.abort();
  assertEquals((await second).kind, "retry");
  gate.resolve();
  await first;
  assertEquals(await third, [{ three: 3 }]);
  await single.close();
});

Deno.test("a connection that the server ends fails its transaction, and only that", async () => {
  const backend = Promise.withResolvers<number>();
  const gate = Promise.withResolvers<void>();
  const broken = failure(write(async (transaction) => {
    const [row] = await transaction.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    backend.resolve(row?.pid ?? 0);
    await gate.promise;
    await transaction.query("CREATE TABLE public.outside ()");
  }));
  await server.asSuperuser(`SELECT pg_terminate_backend(${await backend.promise})`);
  await until(`NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ${await backend.promise})`);
  gate.resolve();
  assertEquals((await broken).kind, "retry");
  for (let tries = 0; tries < 5; tries++) {
    assertEquals(
      await read((transaction) => transaction.query("SELECT to_regclass('public.outside') AS made")),
      [{ made: null }],
    );
  }
});

Deno.test("sessions come back with their settings and without locks", async () => {
  const single = open(server.url, 1);
  const look = () =>
    single.transaction(
      options({ lockTimeoutMs: 7 }),
      (transaction) => transaction.query("SELECT pg_backend_pid() AS pid"),
    );
  const before = await look();
  await single.transaction(options({ readOnly: false }), async (transaction) => {
    await transaction.query("SET LOCAL search_path = public");
    await transaction.query("SELECT pg_advisory_xact_lock(1)");
  });
  assertEquals(await look(), before);
  await until("NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')");
  await single.close();
});

Deno.test("fifty transactions share two connections", async () => {
  const rows = await Promise.all(
    Array.from({ length: 50 }, (_, n) => read((transaction) => transaction.query("SELECT $1::int AS n", [n]))),
  );
  assertEquals(rows.flat(), Array.from({ length: 50 }, (_, n) => ({ n })));
});

Deno.test("a URL that cannot be used is one line without the password", () => {
  const urls = [
    "",
    "mysql://u:hunter2@h/db",
    "postgres://u:hunter2@h/db?sslmode=prefer",
    "postgres://u:hunter2@h/db?options=-c%20x",
    "postgres://u:hunter2%zz@h/db",
    "postgres://:hunter2@h/db",
    "postgres://u:hunter2@h:99999/db",
    "postgres://u:hunter2@/db",
    "postgres://u:hunter2@a,b/db",
  ];
  for (const url of urls) {
    const error = assertThrows(() => open(url), PostgresError) as PostgresError;
    assert(error.message.startsWith("Cannot use the database URL: "), error.message);
    assert(!error.message.includes("hunter2") && !error.message.includes("\n"), error.message);
  }
});

async function connectFailure(url: string): Promise<PostgresError> {
  const other = open(url);
  try {
    return await failure(other.transaction(options(), (transaction) => transaction.query("SELECT 1")));
  } finally {
    await other.close();
  }
}

function changed(change: (url: URL) => void): string {
  const url = new URL(server.url);
  change(url);
  return url.href;
}

Deno.test("a server that cannot be reached is one line that names the address", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const refused = await connectFailure(`postgres://u:hunter2@127.0.0.1:${port}/db`);
  assertEquals(refused.message, `Cannot connect to PostgreSQL at 127.0.0.1:${port}: connection refused`);
  assertEquals(refused.kind, "retry");
  const unknown = await connectFailure("postgres://u:hunter2@nowhere.invalid/db");
  assert(unknown.message.startsWith("Cannot connect to PostgreSQL at nowhere.invalid:5432: "), unknown.message);
  assertEquals(unknown.kind, "retry");
});

Deno.test("a wrong password and a missing database say so", async () => {
  const password = await connectFailure(changed((url) => url.password = "hunter2"));
  assertEquals([password.sqlstate, password.kind], ["28P01", "retry"]);
  const missing = await connectFailure(changed((url) => url.pathname = "/nothing"));
  assertEquals([missing.sqlstate, missing.kind], ["3D000", "condition"]);
  for (const { message } of [password, missing]) {
    assert(message.startsWith("Cannot connect") && !/hunter2/.test(message));
  }
});

Deno.test("a server that closes or answers nothing at login is no endless loop", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      accepted.push(connection);
      if (accepted.length === 1) connection.close();
    }
  })();
  const url = `postgres://u:p@127.0.0.1:${listener.addr.port}/db`;
  assertEquals((await connectFailure(url)).kind, "retry");
  const silent = open(url);
  const controller = new AbortController();
  const waiting = failure(silent.transaction(options({ signal: controller.signal }), () => Promise.resolve()));
  while (accepted.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  controller.abort();
  assertEquals((await waiting).kind, "retry");
  assertEquals(accepted.length, 2);
  await silent.close();
  listener.close();
  await serving;
  accepted[1]?.close();
});

Deno.test("a server is greeted without a login; who says nothing, and who refuses, is told of", async () => {
  const { signal } = new AbortController();
  await greetingOf({ url: changed((url) => url.password = "wrong") })(signal);
  await assertRejects(() => greetingOf({ url: changed((url) => url.port = "1") })(signal), Error, "ECONNREFUSED");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const silent = greetingOf({ url: `postgres://u:p@127.0.0.1:${listener.addr.port}/db` });
  const accepted = listener.accept();
  const controller = new AbortController();
  const waiting = silent(controller.signal);
  const connection = await accepted;
  controller.abort(new Error("nobody said anything"));
  await assertRejects(() => waiting, Error, "nobody said anything");
  connection.close();
});

Deno.test("sslmode=require never goes on in plain text", async () => {
  const [row] = await server.asSuperuser("SELECT current_setting('ssl') = 'on' AS on");
  const error = await connectFailure(changed((url) => url.searchParams.set("sslmode", "require")));
  assert(/does not offer TLS|not trusted/.test(error.message), `${error.message} ${row?.on}`);
});
