import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../harness/sql.ts";
import { openTestbed } from "../../harness/testbed.ts";
import { readJournal } from "../ddl_journal.ts";
import { catalogFaults, expectedParts, readParts } from "./catalog_parts.ts";
import { ddlLines } from "./journals.ts";
import { readLeftovers } from "./leftovers.ts";
import { openStageDatabase } from "../stage/stage_database.ts";

/** What oracles read of a real PostgreSQL. */
const testbed = await openTestbed();
const database = await openStageDatabase(testbed.superuserUrl, "oracles");
const { role, sql } = database;

Deno.test.afterAll(async () => {
  await database.close();
  await testbed.stop();
});

Deno.test("what a session holds or leaves is left over as long as it lasts", async () => {
  const left = () => readLeftovers(sql, { role, living: [] });
  assertEquals(await left(), []);
  await sql("CREATE TABLE public.held (id int)");
  await sql(`GRANT ALL ON public.held TO ${role}`);
  await using session = await operatorSession();
  await session.run("CREATE TEMP TABLE scratch (id int)");
  await session.run("SELECT pg_advisory_lock(7)");
  await session.run("BEGIN");
  await session.run("LOCK TABLE public.held IN ROW EXCLUSIVE MODE");
  assertEquals((await left()).toSorted(), [
    "connection in state idle in transaction",
    "lock advisory ExclusiveLock",
    "lock relation RowExclusiveLock",
    "temporary relation scratch",
  ]);
});

Deno.test("helpers, what is not valid, and rows of the registry without an object are left over", async () => {
  await sql("CREATE TABLE public.made (id int, tablewright_new int)");
  await sql("INSERT INTO public.made VALUES (1), (1)");
  await sql("ALTER TABLE public.made ADD CONSTRAINT tablewright_nn_1 CHECK (id IS NOT NULL) NOT VALID");
  await assertRejects(() => sql("CREATE UNIQUE INDEX CONCURRENTLY twice ON public.made (id)"));
  await sql("CREATE INDEX tablewright_by_id ON public.made (id)");
  await sql("CREATE SCHEMA tablewright");
  await sql("CREATE TABLE tablewright.owned_table (uid uuid, table_name text)");
  await sql("INSERT INTO tablewright.owned_table VALUES (gen_random_uuid(), 'made')");
  assertEquals((await readLeftovers(sql, { role, living: [] })).toSorted(), [
    "a row of the registry for made, whose object is gone",
    "helper constraint tablewright_nn_1",
    "helper tablewright_by_id",
    "invalid index twice",
    "unfinished constraint tablewright_nn_1",
  ]);
  const [row] = await sql("SELECT uid::text AS uid FROM tablewright.owned_table");
  assertEquals((await readLeftovers(sql, { role, living: [String(row?.["uid"])] })).length, 4);
});

Deno.test("the catalog oracle reads from PostgreSQL what it expects of a spec, and sees what is missing", async () => {
  const spec = {
    tableName: "parts",
    columns: [{ ID: "integer" }, { NOTE: { type: "text", notNull: true } }],
    primaryKey: "ID",
    uniqueConstraints: [{ columns: ["NOTE"] }],
    checks: [{ name: "positive", expression: "ID > 0" }],
    indexes: [{ name: "parts_by_note", columns: ["NOTE"] }],
  };
  await sql(
    "CREATE TABLE public.parts (id integer PRIMARY KEY, note text NOT NULL UNIQUE, CONSTRAINT positive CHECK (id > 0))",
  );
  await sql("CREATE INDEX parts_by_note ON public.parts (note)");
  assertEquals(await readParts(sql, "parts"), expectedParts(spec).toSorted());
  await sql("ALTER TABLE public.parts DROP CONSTRAINT positive");
  assertEquals(catalogFaults(spec, await readParts(sql, "parts")), ["missing: check positive"]);
});

Deno.test("the journal has what was committed, by whom, and what went with it", async () => {
  const before = (await readJournal(sql)).at(-1)?.id ?? 0;
  await using session = await operatorSession();
  await session.run("CREATE TABLE public.written (id int, note text)");
  await session.run("ALTER TABLE public.written DROP COLUMN note");
  await session.run("BEGIN");
  await session.run("DROP TABLE public.written");
  await session.run("ROLLBACK");
  const journal = await readJournal(sql, before);
  assertEquals(ddlLines(journal), [
    "CREATE TABLE public.written",
    "DROPPED table column public.written.note",
    "ALTER TABLE public.written",
  ]);
  assertEquals(new Set(journal.map(({ role }) => role)), new Set([role]));
});

/** A session of the operator's role. */
async function operatorSession(): Promise<AsyncDisposable & { run(text: string): Promise<void> }> {
  const session = connect(database.url, 1);
  return {
    run: async (text) => void await session.unsafe(text),
    [Symbol.asyncDispose]: () => session.end({ timeout: 1 }),
  };
}
