import { assertEquals } from "@std/assert";
import type { FixpointCase } from "./fixpoint/case.ts";
import { COLUMN_CASES } from "./fixpoint/cases/columns.ts";
import { CONSTRAINT_CASES } from "./fixpoint/cases/constraints.ts";
import { INDEX_CASES } from "./fixpoint/cases/indexes.ts";
import { RENAME_CASES } from "./fixpoint/cases/renames.ts";
import { TYPE_CASES } from "./fixpoint/cases/types.ts";
import { FixpointDatabase, type Subject } from "./fixpoint/fixpoint_database.ts";
import { Lanes } from "./fixpoint/lanes.ts";
import { isEverything } from "./versions/everything.ts";
import { assertRestored } from "./fixpoint/restored.ts";
import { runCase } from "./fixpoint/run_case.ts";

const FAMILIES: Readonly<Record<string, readonly FixpointCase[]>> = {
  columns: COLUMN_CASES,
  types: TYPE_CASES,
  constraints: CONSTRAINT_CASES,
  indexes: INDEX_CASES,
  renames: RENAME_CASES,
};
/** Of so many tables one is dumped and restored in every run, all of them by `deno task test:postgres`. */
const SAMPLE = 6;
const CASES = Object.values(FAMILIES).flat();

let at: FixpointDatabase;
let lanes: Lanes<FixpointDatabase, FixpointCase>;
/** What the cases left. */
const subjects: Subject[] = [];

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("fixpoint");
  lanes = new Lanes([at, await at.sibling(), await at.sibling()], CASES, async (lane, each) => {
    subjects.push(await runCase(lane, each));
  });
});

Deno.test.afterAll(async () => {
  await lanes?.settle();
  await at?.stop();
});

for (const [family, cases] of Object.entries(FAMILIES)) {
  for (const each of cases) {
    // The lanes of the next cases run meanwhile.
    const options = { sanitizeOps: false, sanitizeResources: false };
    Deno.test({ name: `${family}: ${each.name}`, ...options, fn: () => lanes.wait(each) });
  }
}

Deno.test("after a dump and a restore nothing is left to plan", async () => {
  await lanes.settle();
  await assertRestored(at, subjects.filter((_, index) => isEverything() || index % SAMPLE === 0));
});

Deno.test("the names of cases are unique, and there are enough of them", () => {
  const names = CASES.map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  assertEquals(names.length >= 500, true);
});
