import { assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { type Spec, table } from "./case.ts";
import { Crash, crashing } from "./crash.ts";
import { FixpointDatabase, type Subject, subjectOf } from "./fixpoint_database.ts";
import { nextNumber } from "./run_case.ts";

const AB = { A: "integer", B: "integer" };

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("fixpoint_undo");
});

Deno.test.afterAll(() => at?.stop());

/** A table with rows, and the object that wants it otherwise. */
interface Change {
  readonly next: Subject;
  /** With the schema. */
  readonly name: string;
  readonly number: number;
}

async function changing(rows: string, next: Spec): Promise<Change> {
  const schema = await at.schema("u");
  const number = nextNumber();
  await at.apply(await subjectOf(at, table(AB), { schema, number, generation: 1 }));
  await at.run(`INSERT INTO ${schema}.t (id, a, b) ${rows}`);
  return { next: await subjectOf(at, next, { schema, number, generation: 2 }), name: `${schema}.t`, number };
}

/** Constraints and indexes beside the key, with what is unfinished of them. */
async function partsOf(name: string): Promise<readonly string[]> {
  const rows = await at.query<{ readonly line: string }>(
    `SELECT conname || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END AS line FROM pg_constraint
     WHERE conrelid = '${name}'::regclass AND contype NOT IN ('n', 'p')
     UNION SELECT c.relname || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END FROM pg_index i
     JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '${name}'::regclass AND NOT i.indisprimary ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

/** The statements that the registry tells of the second generation. */
async function historyOf({ name, next }: Change): Promise<readonly string[]> {
  const rows = await at.query<{ readonly sql: string }>(
    `SELECT unnest(h.statements) AS sql FROM tablewright.history h JOIN tablewright.owned_table t ON t.id = h.table_id
     WHERE t.uid = '${next.owner.uid}' AND h.generation = 2 ORDER BY h.n`,
  );
  const [schema = ""] = name.split(".");
  return rows.map(({ sql }) => sql.replaceAll(`"${schema}".`, ""));
}

async function refused(change: Change, sqlstate: string, database?: Database): Promise<void> {
  const error = await assertRejects(() => at.apply(change.next, database), PostgresError);
  assertEquals(error.sqlstate, sqlstate);
}

const NOT_NULL = table({ A: { type: "integer", notNull: true }, B: "integer" });

Deno.test("NOT NULL that the rows forbid leaves nothing behind that refuses new rows", async () => {
  const change = await changing("SELECT n, nullif(n, 3), n FROM generate_series(1, 5) n", NOT_NULL);
  await refused(change, "23514");
  assertEquals(await partsOf(change.name), []);
  await at.run(`INSERT INTO ${change.name} (id) VALUES (100)`);
  assertEquals(await historyOf(change), [
    `ALTER TABLE "t" ADD CONSTRAINT "tablewright_nn_2" CHECK ("a" IS NOT NULL) NOT VALID`,
    `-- failed, SQLSTATE 23514: ALTER TABLE "t" VALIDATE CONSTRAINT "tablewright_nn_2"`,
    `ALTER TABLE "t" DROP CONSTRAINT "tablewright_nn_2"`,
  ]);
  await at.run(`UPDATE ${change.name} SET a = id`);
  await at.apply(change.next);
  assertEquals((await at.stateOf(change.next)).left, []);
});

Deno.test("an operator that is killed before it takes the helper away takes it away the next time", async () => {
  const change = await changing("SELECT n, nullif(n, 3), n FROM generate_series(1, 5) n", NOT_NULL);
  // Behind the step that adds it.
  await assertRejects(() => at.apply(change.next, crashing(at.database, { after: 1, spoil: undefined })), Crash);
  assertEquals(await partsOf(change.name), ["tablewright_nn_2 NOT VALID"]);
  await refused(change, "23514");
  assertEquals(await partsOf(change.name), []);
});

Deno.test("a unique index that the rows forbid leaves nothing behind that refuses new rows", async () => {
  const next = table(AB, { uniqueConstraints: [{ columns: ["A"] }] });
  const change = await changing("SELECT n, n / 2, n FROM generate_series(1, 5) n", next);
  await refused(change, "23505");
  assertEquals(await partsOf(change.name), []);
  assertEquals(await historyOf(change), [
    `CREATE UNIQUE INDEX CONCURRENTLY "t_a_key" ON "t" USING "btree" ("a")`,
    `-- failed, SQLSTATE 23505: CREATE UNIQUE INDEX CONCURRENTLY "t_a_key" ON "t" USING "btree" ("a")`,
    `DROP INDEX "t_a_key"`,
  ]);
  await at.run(`UPDATE ${change.name} SET a = id`);
  await at.apply(change.next);
  assertEquals(await partsOf(change.name), ["t_a_key"]);
});

Deno.test("the history has a statement outside of any transaction that a killed operator began", async () => {
  const change = await changing(
    "SELECT n, n, n FROM generate_series(1, 5) n",
    table(AB, { indexes: [{ columns: ["A"] }] }),
  );
  await assertRejects(() => at.apply(change.next, crashing(at.database, { after: 1, spoil: undefined })), Crash);
  const statement = `CREATE INDEX CONCURRENTLY "t_a_idx" ON "t" USING "btree" ("a")`;
  assertEquals(await historyOf(change), [statement]);
  await at.apply(change.next);
  assertEquals(await historyOf(change), [statement, statement]);
});

for (
  const [what, next, sqlstate, part] of [
    ["check", table(AB, { checks: [{ expression: "A < 5" }] }), "23514", "t_a_check"],
    [
      "foreign key",
      table({ A: { type: "integer", references: { table: "T", column: "ID" } }, B: "integer" }),
      "23503",
      "t_a_fkey",
    ],
  ] as const
) {
  Deno.test(`a ${what} that old rows break stays NOT VALID: new rows obey it, and mended rows finish it`, async () => {
    const change = await changing("SELECT n, n * 2, n FROM generate_series(1, 5) n", next);
    await refused(change, sqlstate);
    assertEquals(await partsOf(change.name), [`${part} NOT VALID`]);
    const insert = `INSERT INTO ${change.name} (id, a) VALUES (100, 77)`;
    assertEquals((await assertRejects(() => at.run(insert), PostgresError)).sqlstate, sqlstate);
    await at.run(`UPDATE ${change.name} SET a = 1`);
    await at.apply(change.next);
    assertEquals(await partsOf(change.name), [part]);
  });
}
