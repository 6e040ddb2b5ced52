import { assertEquals } from "@std/assert";
import type { ChangeKind } from "../../postgres/change.ts";
import { type FixpointCase, kindsOf } from "./case.ts";
import { COLUMN_CASES } from "./cases/columns.ts";
import { CONSTRAINT_CASES } from "./cases/constraints.ts";
import { INDEX_CASES } from "./cases/indexes.ts";
import { RENAME_CASES } from "./cases/renames.ts";
import { RETYPED_CASES } from "./cases/retyped.ts";
import { TYPE_CASES } from "./cases/types.ts";
import { FixpointDatabase, type Subject } from "./fixpoint_database.ts";
import { Lanes } from "./lanes.ts";
import { isEverything } from "../versions/everything.ts";
import { assertChangedElsewhere, assertRestored } from "./restored.ts";
import { runCase } from "./run_case.ts";

const FAMILIES: Readonly<Record<string, readonly FixpointCase[]>> = {
  columns: COLUMN_CASES,
  types: TYPE_CASES,
  retyped: RETYPED_CASES,
  constraints: CONSTRAINT_CASES,
  indexes: INDEX_CASES,
  renames: RENAME_CASES,
};
/** Of so many tables one is dumped and restored in every run, all of them by `deno task test:postgres`. */
const SAMPLE = 6;
/** The same of those that are restored before they are changed: each costs a change more. */
const CHANGED_SAMPLE = 12;
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

Deno.test("a dump and a restore between the old spec and the new one change nothing of the plan", async () => {
  await lanes.settle();
  const changed = CASES.filter(({ old }) => old !== undefined);
  await assertChangedElsewhere(at, changed.filter((_, index) => isEverything() || index % CHANGED_SAMPLE === 0));
});

Deno.test("the names of cases are unique, and there are enough of them", () => {
  const names = CASES.map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  assertEquals(names.length >= 500, true);
});

/** Where a kind is planned: on a table with rows, for a table that is not there, or behind a crash (`crash_test.ts`). */
const PLANNED: Readonly<Record<ChangeKind, "on rows" | "without a table" | "behind a crash">> = {
  AddCheck: "on rows",
  AddColumn: "on rows",
  AddForeignKey: "on rows",
  AddIdentity: "on rows",
  AddPrimaryKey: "on rows",
  AddUnique: "on rows",
  AlterDeferrability: "on rows",
  AttachIndex: "on rows",
  ChangeType: "on rows",
  CreateIndex: "on rows",
  CreateTable: "without a table",
  DropColumn: "on rows",
  DropConstraint: "on rows",
  DropDefault: "on rows",
  DropExpression: "on rows",
  DropIdentity: "on rows",
  DropIndex: "on rows",
  DropNotNull: "on rows",
  RebuildIndex: "behind a crash",
  RenameColumn: "on rows",
  RenameConstraint: "on rows",
  RenameIndex: "on rows",
  RenameTable: "on rows",
  SetCollation: "on rows",
  SetColumnComment: "on rows",
  SetDefault: "on rows",
  SetExpression: "on rows",
  SetIdentity: "on rows",
  SetNotNull: "on rows",
  SetTableComment: "on rows",
  ValidateConstraint: "behind a crash",
};

Deno.test("every kind of change has a case on a table with rows", () => {
  const kinds = new Set(CASES.filter(({ rows = [] }) => rows.length > 0).flatMap(kindsOf));
  const missing = Object.entries(PLANNED).filter(([kind, where]) =>
    where === "on rows" && !kinds.has(kind as ChangeKind)
  );
  assertEquals(missing, []);
});
