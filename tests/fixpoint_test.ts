import { assertEquals } from "@std/assert";
import type { FixpointCase } from "./fixpoint/case.ts";
import { COLUMN_CASES } from "./fixpoint/cases/columns.ts";
import { CONSTRAINT_CASES } from "./fixpoint/cases/constraints.ts";
import { INDEX_CASES } from "./fixpoint/cases/indexes.ts";
import { RENAME_CASES } from "./fixpoint/cases/renames.ts";
import { TYPE_CASES } from "./fixpoint/cases/types.ts";
import { FixpointDatabase } from "./fixpoint/fixpoint_database.ts";
import { runCase } from "./fixpoint/run_case.ts";

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("fixpoint");
  await at.server.asSuperuser("CREATE SCHEMA app AUTHORIZATION tw_fixpoint_operator");
  await at.run(
    "CREATE TYPE app.mood AS ENUM ('good', 'bad')",
    "CREATE DOMAIN app.word AS text",
    "CREATE TABLE app.customers (id integer PRIMARY KEY, code text UNIQUE, big bigint UNIQUE, a integer, b integer, UNIQUE (a, b))",
    "INSERT INTO app.customers SELECT n, 'c' || n, n, n, n FROM generate_series(1, 100) n",
  );
});

Deno.test.afterAll(() => at?.stop());

const FAMILIES: Readonly<Record<string, readonly FixpointCase[]>> = {
  columns: COLUMN_CASES,
  types: TYPE_CASES,
  constraints: CONSTRAINT_CASES,
  indexes: INDEX_CASES,
  renames: RENAME_CASES,
};

for (const [family, cases] of Object.entries(FAMILIES)) {
  for (const each of cases) Deno.test(`${family}: ${each.name}`, () => runCase(at, each));
}

Deno.test("the names of cases are unique", () => {
  const names = Object.values(FAMILIES).flat().map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
});
