import { assert, assertEquals, assertRejects } from "@std/assert";
import { StatementTimeout } from "../../postgres/apply/long_step.ts";
import { type Spec, table } from "./case.ts";
import { FixpointDatabase, type Subject, subjectOf } from "./fixpoint_database.ts";
import { assertState, madeAtOnce, makeOld, nextNumber } from "./run_case.ts";

/** Each row takes 10 ms; no spec of a user may call it. */
const SLOW = "pg_sleep(0.01 + 0 * A)::text = ''";
const OLD = table({ A: "integer" });
const ROWS = ["INSERT INTO {t} SELECT n, n FROM generate_series(1, 200) n"];
/** Half of what all rows take. */
const STATEMENT_TIMEOUT_MS = 1_000;

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("long_statement");
});

Deno.test.afterAll(() => at?.stop());

async function filled(next: Spec): Promise<Subject> {
  const schema = await at.schema("l");
  const number = nextNumber();
  const place = (text: string) => text.replaceAll("{t}", `${schema}.t`);
  await makeOld(at, { name: "", old: OLD, rows: ROWS, next, changes: "" }, { schema, number, place });
  return await subjectOf(at, next, { schema, number, generation: 2 });
}

/** Counts pauses that began, and those that did not end. */
function pauses() {
  const counts = { begun: 0, open: 0 };
  const pause = () => {
    counts.begun++;
    counts.open++;
    return () => void counts.open--;
  };
  return { counts, pause };
}

Deno.test("a VALIDATE and a build CONCURRENTLY end, however long they take, and whoever waits is told", async () => {
  const next = table({ A: "integer" }, {
    checks: [{ name: "slow", expression: SLOW }],
    indexes: [{ columns: ["A"] }],
  });
  const subject = await filled(next);
  const { counts, pause } = pauses();
  const startedAt = performance.now();
  await at.apply(subject, at.database, { statementTimeoutMs: STATEMENT_TIMEOUT_MS, pause });
  assert(performance.now() - startedAt > STATEMENT_TIMEOUT_MS);
  assertEquals(counts, { begun: 2, open: 0 });
  await assertState(at, subject, { should: await madeAtOnce(at, next), printsOther: false });
});

Deno.test("a rewrite that takes longer than it may is undone, and says so instead of being a failure that passes", async () => {
  const subject = await filled(table({ A: { type: "boolean", using: SLOW } }));
  const before = (await at.observe(subject)).plan;
  const { counts, pause } = pauses();
  const limits = { statementTimeoutMs: STATEMENT_TIMEOUT_MS, pause };
  const error = await assertRejects(() => at.apply(subject, at.database, limits), StatementTimeout);
  assertEquals([error.kind, error.limitMs, error.statements.length], ["condition", STATEMENT_TIMEOUT_MS, 1]);
  assertEquals(counts, { begun: 1, open: 0 });
  assertEquals((await at.observe(subject)).plan, before);
  await at.apply(subject);
  assertEquals((await at.observe(subject)).plan.changes, []);
});

Deno.test("what has no limit does not begin where nobody may wait for it, and what comes before it does", async () => {
  const next = table({ A: "integer", B: "integer" }, { indexes: [{ columns: ["A"] }] });
  const subject = await filled(next);
  const apply = () => at.apply(subject, at.database, { pause: () => undefined });
  await assertRejects(apply, Error, '"kind":"postponed","statements":[{');
  assertEquals((await at.observe(subject)).plan.changes.map(({ kind }) => kind), ["CreateIndex"]);
  await at.apply(subject);
  assertEquals((await at.observe(subject)).plan.changes, []);
});
