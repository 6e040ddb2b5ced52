import { assertEquals } from "@std/assert";
import { observeRelations } from "../../postgres/catalog/catalog.ts";
import {
  appendHistory,
  claim,
  ensureRegistry,
  MAX_HISTORY,
  type Owner,
  record,
} from "../../postgres/registry/registry.ts";
import {
  type ChangedTable,
  findChangedTables,
  findRecordedTables,
  refreshFingerprints,
} from "../../postgres/registry/sweep.ts";
import { type Database, openDatabase, type Transaction } from "../../postgres/session/client.ts";
import { startTestDatabase, type TestDatabase } from "../harness/postgres_database.ts";

const { signal } = new AbortController();
const CLUSTER = "c0000000-0000-4000-8000-000000000001";
const ROLE = "tw_sweep_operator";

let server: TestDatabase;
let database: Database;

Deno.test.beforeAll(async () => {
  server = await startTestDatabase("sweep");
  database = openDatabase({ url: server.url, applicationName: "tablewright-test", maxConnections: 2 });
});

Deno.test.afterAll(async () => {
  await database?.close();
  await server?.stop();
});

Deno.test.beforeEach(async () => {
  await server.asSuperuser(
    "DROP SCHEMA IF EXISTS tablewright CASCADE",
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public",
    `GRANT USAGE, CREATE ON SCHEMA public TO ${ROLE}`,
  );
  assertEquals(await ensureRegistry(database, signal), []);
});

function write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.transaction({ readOnly: false, lockTimeoutMs: 5_000, statementTimeoutMs: 10_000, signal }, work);
}

function run(...statements: readonly string[]): Promise<void> {
  return write(async (transaction) => {
    for (const statement of statements) await transaction.query(statement);
  });
}

function ownerOf(number: number): Owner {
  const uid = `a0000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  return { clusterId: CLUSTER, namespace: "default", name: `t${number}`, uid, generation: number };
}

/** Makes and records tables t1, t2, …; answers the id of the first row. */
async function recordTables(count: number): Promise<string> {
  const ids: string[] = [];
  for (let number = 1; number <= count; number++) {
    await run(`CREATE TABLE public.t${number} (id integer PRIMARY KEY, name text, n integer CHECK (n > 0))`);
    await write(async (transaction) => {
      const names = { owner: ownerOf(number), schema: "public", table: `t${number}`, specHash: `hash${number}` };
      const claimed = await claim(transaction, names);
      if (claimed.kind !== "claimed") throw new Error(`not claimed: ${claimed.kind}`);
      ids.push(claimed.row.id);
      const [relation] = await observeRelations(transaction, { schema: "public", names: [names.table], oids: [] });
      const nothing = { members: { column: [], constraint: [], index: [] }, expressions: {} };
      await record(transaction, { ...names, ...nothing, relation: relation ?? { oid: 1 } });
    });
  }
  return ids[0] ?? "";
}

function changed(): Promise<readonly ChangedTable[]> {
  return write((transaction) => findChangedTables(transaction, CLUSTER));
}

async function refresh(id: string, before: string, now: string): Promise<void> {
  await write((transaction) => refreshFingerprints(transaction, [{ id, before, now }]));
}

async function recordedFingerprint(id: string): Promise<string> {
  const [row] = await server.asSuperuser(
    `SELECT fingerprint::text AS fingerprint FROM tablewright.owned_table WHERE id = ${id}`,
  );
  return String(row?.["fingerprint"]);
}

Deno.test("findChangedTables() finds every DDL on a table, and nothing else", async () => {
  const id = await recordTables(2);
  assertEquals(await changed(), []);
  await run("INSERT INTO public.t1 VALUES (1)", "ANALYZE public.t1");
  await server.asSuperuser("VACUUM public.t1", "VACUUM FREEZE pg_class");
  assertEquals(await changed(), []);
  const changes = [
    "ALTER TABLE public.t1 ADD COLUMN a integer",
    "ALTER TABLE public.t1 ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE public.t1 ALTER COLUMN name DROP DEFAULT",
    "ALTER TABLE public.t1 ALTER COLUMN n SET DEFAULT 7",
    "ALTER TABLE public.t1 DROP CONSTRAINT t1_n_check",
    "CREATE INDEX i ON public.t1 (n)",
    "ALTER INDEX public.i RENAME TO j",
    "DROP INDEX public.j",
    "COMMENT ON COLUMN public.t1.n IS 'x'",
    "COMMENT ON COLUMN public.t1.n IS NULL",
    "ALTER TABLE public.t1 DROP COLUMN a",
    "CREATE TRIGGER a BEFORE UPDATE ON public.t1 FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TRIGGER b BEFORE UPDATE ON public.t1 FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE POLICY p ON public.t1 USING (true)",
    "CREATE STATISTICS public.s ON name, n FROM public.t1",
    "ALTER TABLE public.t1 RENAME TO people",
  ];
  for (const change of changes) {
    await run(change);
    const [table, ...others] = await changed();
    assertEquals([table?.id, table?.namespace, table?.name, others], [id, "default", "t1", []], change);
    const fingerprint = table?.fingerprint;
    if (fingerprint === undefined) throw new Error(`has no fingerprint after ${change}`);
    await refresh(id, await recordedFingerprint(id), fingerprint);
    assertEquals(await changed(), [], change);
  }
});

Deno.test("findChangedTables() finds a table that is gone, and all of them in another epoch", async () => {
  await recordTables(2);
  await run("DROP TABLE public.t2");
  assertEquals((await changed()).map(({ name, fingerprint }) => [name, fingerprint]), [["t2", undefined]]);
  await server.asSuperuser("UPDATE tablewright.epoch SET system_identifier = 1");
  const all = await changed();
  assertEquals(all.map(({ name, fingerprint }) => [name, fingerprint]).toSorted(), [["t1", undefined], [
    "t2",
    undefined,
  ]]);
});

Deno.test("findChangedTables() is no trap when it runs again and again in one session", async () => {
  await recordTables(1);
  for (let count = 0; count < 20; count++) assertEquals(await changed(), []);
});

Deno.test("refreshFingerprints() leaves a row alone that somebody recorded meanwhile", async () => {
  const id = await recordTables(1);
  const before = await recordedFingerprint(id);
  await refresh(id, "12345", "67890");
  assertEquals(await recordedFingerprint(id), before);
  await refresh(id, before, "67890");
  assertEquals(await recordedFingerprint(id), "67890");
});

Deno.test("findRecordedTables() tells what was recorded for which object", async () => {
  await recordTables(2);
  const recorded = await write((transaction) => findRecordedTables(transaction, CLUSTER));
  assertEquals([...recorded].toSorted(), [
    [ownerOf(1).uid, { generation: 1, specHash: "hash1", isBound: true }],
    [ownerOf(2).uid, { generation: 2, specHash: "hash2", isBound: true }],
  ]);
});

Deno.test("appendHistory() keeps the last entries of a table", async () => {
  const id = await recordTables(1);
  for (let count = 1; count <= MAX_HISTORY + 5; count++) {
    const entry = { id, generation: count, planHash: "h", statements: [`statement ${count}`] };
    await write((transaction) => appendHistory(transaction, entry));
  }
  const rows = await server.asSuperuser("SELECT generation::int AS generation FROM tablewright.history ORDER BY n");
  assertEquals([rows.length, rows[0], rows.at(-1)], [MAX_HISTORY, { generation: 6 }, { generation: MAX_HISTORY + 5 }]);
});
