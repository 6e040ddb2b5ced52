import { assertEquals } from "@std/assert";
import { crashPoints, type Scenario, ScenarioRuns } from "../scenario.ts";
import { testCrashPoints } from "../crash_plan.ts";
import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { ROW_CANARY } from "../verdict.ts";

const ID = { ID: "integer" };
const NOTE = { NOTE: "text" };
const ORDERS: PlanSpec = { tableName: "orders_N", columns: [ID, NOTE], primaryKey: "ID" };
const ROWS = [`INSERT INTO public.orders_N (id, note) SELECT n, '${ROW_CANARY} ' || n FROM generate_series(1, 50) n`];
const FILLED = { before: ORDERS, rows: ROWS };

const SCENARIOS: readonly Scenario[] = [
  { name: "create", after: ORDERS },
  { name: "add a column", ...FILLED, after: { ...ORDERS, columns: [ID, NOTE, { AMOUNT: "bigint" }] } },
  {
    name: "rename a column",
    ...FILLED,
    after: { ...ORDERS, columns: [ID, { REMARK: { type: "text", renamedFrom: "NOTE" } }] },
  },
  { name: "rename the table", ...FILLED, after: { ...ORDERS, tableName: "purchases_N" } },
  { name: "change the primary key", ...FILLED, after: { ...ORDERS, primaryKey: "ID, NOTE" } },
  {
    name: "drop a column",
    ...FILLED,
    after: { ...ORDERS, columns: [ID], changePolicy: { allow: ["DropColumn"] } },
  },
  { name: "delete", ...FILLED },
  {
    name: "adopt",
    given: ["CREATE TABLE public.orders_N (id integer PRIMARY KEY, note text)"],
    after: { ...ORDERS, adoptionPolicy: "IfIdentical" },
  },
  {
    name: "build an index",
    ...FILLED,
    after: { ...ORDERS, indexes: [{ name: "by_note_N", columns: ["NOTE"] }] },
  },
  { name: "add a unique constraint", ...FILLED, after: { ...ORDERS, uniqueConstraints: [{ columns: ["NOTE"] }] } },
  {
    name: "add a check",
    ...FILLED,
    after: { ...ORDERS, checks: [{ name: "positive", expression: "ID > 0" }] },
  },
  {
    name: "forbid NULL",
    ...FILLED,
    after: { ...ORDERS, columns: [ID, { NOTE: { type: "text", notNull: true } }] },
  },
  {
    name: "add a foreign key",
    ...FILLED,
    given: [
      "CREATE TABLE public.customers_N (id integer PRIMARY KEY)",
      "INSERT INTO public.customers_N SELECT generate_series(1, 50)",
    ],
    after: {
      ...ORDERS,
      columns: [{ ID: { type: "integer", references: { table: "customers_N", column: "ID" } } }, NOTE],
    },
  },
];

SCENARIOS.forEach(testCrashPoints);

Deno.test("crash points: the registry is made", async (t) => {
  const [create = { name: "" }] = SCENARIOS;
  const scenario = { ...create, name: "registry", varies: true };
  await using runs = await ScenarioRuns.openEmpty(scenario);
  const reference = await runs.undisturbed();
  for (const point of crashPoints(reference)) {
    await t.step(`killed ${point.when} effect ${point.effect}: ${reference.effects[point.effect - 1]}`, async () => {
      await using another = await ScenarioRuns.openEmpty(scenario);
      assertEquals(await another.crashed(reference, point), []);
      assertEquals(await another.end(), []);
    });
  }
});
