import { testCrashPoints } from "../crash_plan.ts";
import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { FILLED, ID, NOTE, ORDERS } from "../stage/plan_tables.ts";
import type { Scenario } from "../stage/scenario.ts";

/** A table whose key refers to that of another one. */
function referring(tableName: string, table: string): PlanSpec {
  return { tableName, columns: [{ ID: { type: "integer", references: { table, column: "ID" } } }], primaryKey: "ID" };
}

/** Each refers to the next one, and the last one to the first. */
const RING = {
  first: referring("orders_N", "invoices_N"),
  others: { invoices: referring("invoices_N", "payments_N"), payments: referring("payments_N", "orders_N") },
};

/** Changes of several steps, between which users go on; each is one more moment to die. */
const SCENARIOS: readonly Scenario[] = [
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
    twice: true,
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
  // Who comes first is nobody's promise.
  { name: "make a ring of foreign keys", after: RING.first, others: RING.others, varies: true },
  {
    name: "delete a ring of foreign keys",
    before: RING.first,
    others: RING.others,
    varies: true,
    // Keys between tables that are left go by themselves, the last ones with their table.
    ddl: /^DROPPED table public/,
  },
];

SCENARIOS.forEach(testCrashPoints);
