import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { planTable } from "../../postgres/plan/plan.ts";
import { SPEC_PAIR, type SpecPair } from "./arbitrary_spec.ts";
import { FixpointDatabase, subjectOf, understood } from "./fixpoint_database.ts";
import { type ByHand, fillTable, makeByHand } from "./property_rows.ts";
import { assertState, isNamedAsNew, madeAtOnce, nextNumber } from "./run_case.ts";

/** `TABLEWRIGHT_PROPERTY_RUNS=5000 TABLEWRIGHT_PROPERTY_SEED=1 deno task test tests/fixpoint/property_test.ts` */
const RUNS = Number(Deno.env.get("TABLEWRIGHT_PROPERTY_RUNS") ?? 25);
const SEED = Number(Deno.env.get("TABLEWRIGHT_PROPERTY_SEED") ?? 20_261_121);

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("fixpoint_property");
});

Deno.test.afterAll(() => at?.stop());

/** Specs that the door refuses are no pairs: two parts of one name, a reference that nothing answers. */
async function isAccepted({ old, next }: SpecPair): Promise<boolean> {
  return (await understood(at, old)).errors.length === 0 && (await understood(at, next)).errors.length === 0;
}

async function reaches({ old, next, rows, retypes }: SpecPair): Promise<void> {
  const schema = await at.schema("p");
  const number = nextNumber();
  const before = await subjectOf(at, old, { schema, number, generation: 1 });
  await at.apply(before);
  await fillTable(at, before.wanted.desired, rows);
  const byHand: ByHand = await makeByHand(at, before.wanted.desired);
  const subject = await subjectOf(at, next, { schema, number, generation: 2 });
  const { mismatches } = await at.apply(subject);
  assertEquals(mismatches, [], "forecast");
  assertEquals(await byHand.state(subject.wanted.desired), byHand.before, "what somebody made by hand");
  await byHand.remove(subject.wanted.desired);
  const should = await madeAtOnce(at, next);
  await assertState(at, subject, { should, printsOther: retypes });
  if (isNamedAsNew(before, subject)) {
    assertEquals((await at.stateOf(subject)).names, should.names, "the names");
  }
  const [{ count } = { count: -1 }] = await at.query<{ readonly count: number }>(
    `SELECT count(*)::int4 AS count FROM "${schema}"."${subject.wanted.desired.name}"`,
  );
  assertEquals(count, rows, "the number of rows");
}

Deno.test(`any two specs (${RUNS} runs, seed ${SEED}): the plan leads to the other, and touches nothing else`, async () => {
  await fc.assert(
    fc.asyncProperty(SPEC_PAIR, async (pair) => {
      fc.pre(await isAccepted(pair));
      await reaches(pair);
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: RUNS < 1_000 },
  );
});

Deno.test("any spec: planTable() plans nothing between a table and itself", async () => {
  await fc.assert(
    fc.asyncProperty(SPEC_PAIR, async (pair) => {
      const { desired } = await understood(at, pair.next);
      const table = desired?.table;
      fc.pre(table !== undefined);
      if (table !== undefined) assertEquals(planTable(table, table), []);
    }),
    { numRuns: 300, seed: SEED },
  );
});
