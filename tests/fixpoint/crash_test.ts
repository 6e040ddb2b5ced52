import { assert, assertEquals } from "@std/assert";
import { type FixpointCase, table } from "./case.ts";
import { Crash, crashing } from "./crash.ts";
import { FixpointDatabase, type State, subjectOf } from "./fixpoint_database.ts";
import { assertState, madeAtOnce, makeOld, nextNumber, rowsOf } from "./run_case.ts";

interface Crashing extends Pick<FixpointCase, "name" | "old" | "rows" | "next"> {
  /** What was dropped does not come back. */
  readonly isFinal?: true;
}

const ROWS = ["INSERT INTO {t} (id, a, b) SELECT n, n, n FROM generate_series(1, 20) n"];
const AB = { A: "integer", B: "integer" };
const NOT_NULL = { type: "integer", notNull: true };
const TO = { references: { schema: "app", table: "customers", column: "ID" } };

function from(old: Record<string, unknown>, next: Record<string, unknown>): Omit<Crashing, "name"> {
  return { old: { ...table(AB), ...old }, rows: ROWS, next: { ...table(AB), ...next } };
}

const CASES: readonly Crashing[] = [
  { name: "NOT NULL", ...from({}, table({ A: NOT_NULL, B: NOT_NULL })) },
  { name: "NOT NULL of a renamed column", ...from({}, table({ N: { ...NOT_NULL, renamedFrom: "A" }, B: "integer" })) },
  { name: "a check", ...from({}, { checks: [{ expression: "A + B > 0" }, { name: "c", expression: "A > 0" }] }) },
  { name: "a foreign key", ...from({}, table({ A: { type: "integer", ...TO }, B: { type: "integer", ...TO } })) },
  {
    name: "a unique constraint",
    ...from({}, { uniqueConstraints: [{ columns: ["A"] }, { name: "u", columns: ["B"], nullsNotDistinct: true }] }),
  },
  {
    name: "a replaced unique constraint",
    ...from({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }, {
      uniqueConstraints: [{ name: "u", columns: ["A", "B"] }],
    }),
  },
  { name: "a replaced key over a column that may be null", ...from({}, { primaryKey: ["A", "B"] }) },
  {
    name: "a replaced key whose old column goes",
    isFinal: true,
    ...from({}, { columns: [{ A: "integer" }, { B: "integer" }], primaryKey: "A" }),
  },
  {
    name: "an index",
    ...from({}, { indexes: [{ columns: ["A"] }, { name: "i", expressions: ["A + B"], where: "A IN (1, 2)" }] }),
  },
  {
    name: "a replaced index",
    ...from({ indexes: [{ name: "i", columns: ["A"] }] }, { indexes: [{ name: "i", columns: ["B"], unique: true }] }),
  },
  {
    name: "two replaced unique indexes and a column that goes",
    isFinal: true,
    ...from({
      indexes: [{ name: "i", columns: ["A"], unique: true }, { name: "j", expressions: ["A + B"], unique: true }],
    }, {
      columns: [{ ID: "integer" }, { B: "integer" }],
      indexes: [{ name: "j", expressions: ["B + 1"], unique: true }, { name: "i", columns: ["B"], unique: true }],
    }),
  },
  {
    name: "a key that the table's own foreign key needs",
    ...from(table({ A: "integer", B: { type: "integer", references: { table: "T", column: "ID" } } }), {
      columns: [{ ID: { type: "integer", unique: true } }, { A: "integer" }, {
        B: { type: "integer", references: { table: "T", column: "ID" } },
      }],
      primaryKey: "A",
    }),
  },
  { name: "an identity", ...from({}, table({ A: { type: "integer", identity: "ByDefault" }, B: "integer" })) },
  {
    name: "everything at once",
    old: {
      ...table(AB, { uniqueConstraints: [{ columns: ["A"] }], indexes: [{ columns: ["A", "B"] }], comment: "old" }),
    },
    rows: ROWS,
    next: {
      tableName: "T",
      columns: [
        { ID: { type: "integer", unique: true } },
        { N: { type: "bigint", notNull: true, renamedFrom: "A", ...TO } },
        { B: { type: "integer", check: "B > 0" } },
        { C: { type: "text", default: "c" } },
      ],
      primaryKey: "N",
      checks: [{ name: "c", expression: "N IN (B, 1, 2)" }],
      indexes: [{ columns: ["C"] }, { expressions: ["lower(C)"], where: "N > 5" }],
      comment: "new",
    },
  },
];

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("fixpoint_crash");
});

Deno.test.afterAll(() => at?.stop());

/** An index as a killed CREATE INDEX CONCURRENTLY leaves it. */
async function invalidate(schema: string): Promise<void> {
  await at.server.asSuperuser(
    `UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT max(c.oid) FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '${schema}' AND c.relkind = 'i')`,
  );
}

/** @returns whether the operator came to its end before it was killed. */
async function crashAndGoOn(each: Crashing, way: {
  readonly after: number;
  readonly spoils: boolean;
  /** Where it goes on to: to the new spec, or back to the old one. */
  readonly to: "next" | "old";
  readonly should: State;
}): Promise<boolean> {
  const { after, spoils, to, should } = way;
  const schema = await at.schema("f");
  const number = nextNumber();
  const place = (text: string) => text.replaceAll("{t}", `${schema}.t`);
  const old = await makeOld(at, { ...each, changes: "" }, { schema, number, place });
  if (old === undefined) throw new Error("a case without an old table");
  const next = await subjectOf(at, each.next, { schema, number, generation: 2 });
  const before = await rowsOf(at, old);
  const database = crashing(at.database, { after, spoil: spoils ? () => invalidate(schema) : undefined });
  const end = await at.apply(next, database).then(() => undefined, (error) => error);
  if (end === undefined) return true;
  assert(end instanceof Crash, String(end?.stack ?? end));
  const goal = to === "next" ? next : await subjectOf(at, each[to] ?? {}, { schema, number, generation: 3 });
  await at.apply(goal);
  await assertState(at, goal, { should, printsOther: true });
  assertEquals((await rowsOf(at, goal)).length, before.length);
  return false;
}

/** How the operator is killed, and where it goes on to. */
interface Way {
  readonly what: string;
  readonly spoils: boolean;
  readonly to: "next" | "old";
}

const WAYS: readonly Way[] = [
  { what: "goes on", spoils: false, to: "next" },
  { what: "goes on from an invalid index", spoils: true, to: "next" },
  { what: "goes back", spoils: false, to: "old" },
  { what: "goes back from an invalid index", spoils: true, to: "old" },
];

for (const each of CASES) {
  for (const { what, spoils, to } of WAYS) {
    if (to === "old" && each.isFinal === true) continue;
    Deno.test(`${each.name}: an operator that is killed behind any step ${what}`, async () => {
      const should = await madeAtOnce(at, each[to] ?? {});
      let after = 1;
      while (!await crashAndGoOn(each, { after, spoils, to, should })) after++;
      assert(after > 2, "too few steps");
    });
  }
}
