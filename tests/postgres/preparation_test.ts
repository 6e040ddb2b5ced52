import { assert, assertEquals } from "@std/assert";
import { emptyTable } from "../../postgres/table.ts";
import { ensureRegistry } from "../../postgres/registry/registry.ts";
import { type Database, FIXED, openDatabase, type TransactionOptions } from "../../postgres/session/client.ts";
import { observeSituation } from "../../postgres/situation/situation.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

// A pooler in transaction mode lends each transaction any server connection. DEALLOCATE ALL, in a transaction of its own on the
// same one, makes the server forget just as another connection would not know.

let server: TestDatabase;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("preparation");
});

Deno.test.afterAll(async () => {
  await server?.stop();
});

interface Opened extends AsyncDisposable {
  readonly database: Database;
  /** How often it was said that names are refused. */
  readonly refusals: () => number;
}

function open(): Opened {
  let refusals = 0;
  const onUnprepared = () => void refusals++;
  const database = openDatabase({ url: server.url, applicationName: "test", maxConnections: 1, onUnprepared });
  return { database, refusals: () => refusals, [Symbol.asyncDispose]: () => database.close() };
}

function options(readOnly: boolean): TransactionOptions {
  return { readOnly, lockTimeoutMs: 1_000, statementTimeoutMs: 20_000, signal: new AbortController().signal };
}

/** What the server keeps on this connection, but for the settings of a transaction. */
async function prepared({ database }: Opened): Promise<readonly string[]> {
  const rows = await database.transaction(
    options(true),
    (transaction) =>
      transaction.query<{ readonly statement: string }>(
        "SELECT statement FROM pg_prepared_statements WHERE statement NOT LIKE '%set_config%' ORDER BY 1",
      ),
  );
  return rows.map(({ statement }) => statement);
}

async function forget({ database }: Opened, command = "DEALLOCATE ALL"): Promise<void> {
  await database.transaction(options(true), (transaction) => transaction.query(command));
}

async function select<Row>({ database }: Opened, text: string, ...parameters: readonly unknown[]): Promise<Row[]> {
  return [
    ...await database.transaction(options(true), (transaction) => transaction.query<Row>(text, parameters, FIXED)),
  ];
}

/** What a session must not keep. */
async function sessionState({ database }: Opened): Promise<unknown> {
  return await database.transaction(options(true), (transaction) =>
    transaction.query(
      `SELECT current_setting('search_path') AS path, current_setting('lock_timeout') AS lock_timeout,
         (SELECT count(*)::int4 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`,
    ));
}

Deno.test("a fixed statement is kept by the server once a connection, any other never", async () => {
  await using opened = open();
  for (let n = 0; n < 20; n++) assertEquals(await select(opened, "SELECT $1::int4 AS n", n), [{ n }]);
  await opened.database.transaction(options(true), (transaction) => transaction.query("SELECT 'other'"));
  assertEquals(await prepared(opened), ["SELECT $1::int4 AS n"]);
  assertEquals(opened.refusals(), 0);
});

Deno.test("the parameters of a statement that the server knows are sent as they are", async () => {
  await using opened = open();
  const text = `SELECT $1::jsonb AS json, $2::boolean AS yes, $3::date::text AS date, $4::timestamptz::text AS time,
    encode($5::bytea, 'hex') AS bytes, $6::int8 AS big, $7::text[]::text AS list, $8::text AS nothing`;
  const parameters = ['["a\\"b"]', "no", "today", "infinity", "\\x00ff", 2 ** 53, ["a", null], undefined];
  const first = await select(opened, text, ...parameters);
  for (let round = 0; round < 7; round++) assertEquals(await select(opened, text, ...parameters), first);
  assertEquals(first.map((row) => ({ ...row as object, date: "" })), [{
    json: ['a"b'],
    yes: false,
    date: "",
    time: "infinity",
    bytes: "00ff",
    big: "9007199254740992",
    list: "{a,NULL}",
    nothing: null,
  }]);
});

Deno.test("a server that forgot is asked again without names, and never with names again", async () => {
  await using opened = open();
  const before = await sessionState(opened);
  assertEquals(await select(opened, "SELECT $1::text AS text", "a"), [{ text: "a" }]);
  await forget(opened);
  assertEquals(await select(opened, "SELECT $1::text AS text", "b"), [{ text: "b" }]);
  assertEquals(opened.refusals(), 1);
  await forget(opened);
  assertEquals(await select(opened, "SELECT $1::text AS text", "c"), [{ text: "c" }]);
  assertEquals([opened.refusals(), await prepared(opened)], [1, []]);
  assertEquals(await sessionState(opened), before);
});

Deno.test("what a transaction did before a name was refused is done once", async () => {
  await using opened = open();
  const insert = "INSERT INTO public.written VALUES ($1::int4)";
  await server.asSuperuser("CREATE TABLE public.written (n integer)", "GRANT ALL ON public.written TO PUBLIC");
  let runs = 0;
  const write = () =>
    opened.database.transaction(options(false), async (transaction) => {
      runs++;
      await transaction.query(insert, [1]);
      if (runs === 2) await transaction.query("DEALLOCATE ALL");
      await transaction.query(insert, [2], FIXED);
      return runs;
    });
  assertEquals([await write(), await write()], [1, 3]);
  assertEquals([...await server.asSuperuser("SELECT n, count(*)::int FROM public.written GROUP BY n ORDER BY n")], [
    { n: 1, count: 2 },
    { n: 2, count: 2 },
  ]);
});

Deno.test("a refused statement is not sent again behind the commit that nobody held back for it", async () => {
  await using opened = open();
  const insert = "INSERT INTO public.unawaited VALUES ($1::int4)";
  await server.asSuperuser("CREATE TABLE public.unawaited (n integer)", "GRANT ALL ON public.unawaited TO PUBLIC");
  let forgets = false;
  const write = (n: number) =>
    opened.database.transaction(options(false), async (transaction) => {
      if (forgets) await transaction.query("DEALLOCATE ALL");
      transaction.query(insert, [n], FIXED).catch(() => {});
      transaction.query(insert, [n + 1]).catch(() => {});
      await Promise.resolve();
    });
  await write(1);
  forgets = true;
  await write(3);
  const rows = await server.asSuperuser("SELECT n FROM public.unawaited ORDER BY n");
  assertEquals(rows.map(({ n }) => n), [1, 2, 3, 4]);
  assertEquals(opened.refusals(), 1);
});

Deno.test("a statement whose columns have changed is planned anew", async () => {
  await using opened = open();
  await server.asSuperuser("CREATE TABLE public.grows (n integer)", "GRANT ALL ON public.grows TO PUBLIC");
  assertEquals(await select(opened, "SELECT * FROM public.grows"), []);
  await server.asSuperuser("ALTER TABLE public.grows ADD m integer", "INSERT INTO public.grows VALUES (1, 2)");
  assertEquals(await select(opened, "SELECT * FROM public.grows"), [{ n: 1, m: 2 }]);
});

Deno.test("many transactions whose names are refused at once all succeed", async () => {
  let refusals = 0;
  const database = openDatabase({
    url: server.url,
    applicationName: "test",
    maxConnections: 4,
    onUnprepared: () => void refusals++,
  });
  const readAll = () =>
    Promise.all(Array.from({ length: 40 }, (_, n) =>
      database.transaction(options(true), async (transaction) => {
        await transaction.query("DEALLOCATE ALL");
        const [row] = await transaction.query<{ readonly n: number }>("SELECT $1::int4 AS n", [n], FIXED);
        return row?.n;
      })));
  const expected = Array.from({ length: 40 }, (_, n) => n);
  assertEquals([await readAll(), await readAll(), refusals], [expected, expected, 1]);
  await database.close();
});

Deno.test("an error of a user's making is no refusal", async () => {
  await using opened = open();
  const [first, second] = await Promise.all(
    [1, 0].map((by) => select(opened, "SELECT 1 / $1::int4 AS n", by).catch(String)),
  );
  assertEquals([first, second], [[{ n: 1 }], "PostgresError: PostgreSQL refused: error (SQLSTATE 22012)"]);
  assertEquals([opened.refusals(), await prepared(opened)], [0, ["SELECT 1 / $1::int4 AS n"]]);
});

interface Explained {
  readonly "QUERY PLAN": readonly { readonly Plan: { readonly "Shared Hit Blocks": number } }[];
}

Deno.test("the plan that the server keeps for a look at a table reads no more than one made for that table", async () => {
  const owner = { clusterId: crypto.randomUUID(), namespace: "n", name: "o", uid: crypto.randomUUID(), generation: 1 };
  const desired = (name: string) => emptyTable("public", name);
  await using opened = open();
  const { database } = opened;
  assertEquals(await ensureRegistry(database, options(false).signal), []);
  await server.asSuperuser(
    `DO $$ BEGIN FOR n IN 1..500 LOOP
       EXECUTE format('CREATE TABLE public.orders_%s (id integer PRIMARY KEY, no integer UNIQUE CHECK (no > 0))', n);
     END LOOP; END $$`,
    "ANALYZE pg_class, pg_constraint",
  );
  const looks = (names: readonly string[]) =>
    database.transaction(options(true), async (transaction) => {
      for (const name of names) await observeSituation(transaction, { owner, desired: desired(name) });
    });
  await looks(Array.from({ length: 10 }, (_, index) => `customers_${index}`));
  const [statement] = await database.transaction(
    options(true),
    (transaction) =>
      transaction.query<{ readonly name: string; readonly generic: number }>(
        `SELECT name, generic_plans::int4 AS generic FROM pg_prepared_statements WHERE statement LIKE '%AS taken'`,
      ),
  );
  assertEquals(statement?.generic, 5, "the server makes a plan for each table");
  const pages = (mode: string, prefix: string) =>
    database.transaction(options(true), async (transaction) => {
      await transaction.query(`SET LOCAL plan_cache_mode = ${mode}`);
      const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
        EXECUTE "${statement?.name}" ('public', '${prefix}', '${prefix}\u{10ffff}')`;
      await transaction.query(explain);
      const [row] = await transaction.query<Explained>(explain);
      return row?.["QUERY PLAN"][0]?.Plan["Shared Hit Blocks"] ?? NaN;
    });
  for (const prefix of ["customers_1", "orders_499"]) {
    // Somebody else's VACUUM may change the catalog between two measurements.
    const least = async (mode: string) => Math.min(...[await pages(mode, prefix), await pages(mode, prefix)]);
    const [kept, own] = [await least("force_generic_plan"), await least("force_custom_plan")];
    assert(kept <= own && kept < 50, `${prefix}: the kept plan reads ${kept} pages, its own one ${own}`);
  }
});
