import { KOPF_FINALIZER } from "../../../handlers/kopf_takeover.ts";
import { testCrashPoints, testStartCrashPoints } from "../crash_plan.ts";
import { FILLED, ID, ORDERS, ROWS } from "../stage/plan_tables.ts";
import type { Scenario } from "../stage/scenario.ts";

const DROPPABLE = { approval: "Destructive", changePolicy: { allow: ["DropColumn"] } };

const SCENARIOS: readonly Scenario[] = [
  { name: "create", after: ORDERS },
  { name: "add a column", ...FILLED, after: { ...ORDERS, columns: [...ORDERS.columns, { AMOUNT: "bigint" }] } },
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
    name: "take over from kopf",
    given: ["CREATE TABLE public.orders_N (id integer PRIMARY KEY, note text)"],
    after: ORDERS,
    metadata: { finalizers: [KOPF_FINALIZER], annotations: { "kopf.zalando.org/last-handled-configuration": "{}" } },
  },
  {
    name: "approve a plan",
    before: { ...ORDERS, ...DROPPABLE },
    rows: ROWS,
    after: { ...ORDERS, ...DROPPABLE, columns: [ID] },
    approves: true,
    // Behind its own write of the object the operator may look once more before it has heard of its write of the status.
    varies: true,
  },
];

SCENARIOS.forEach(testCrashPoints);

testStartCrashPoints({ name: "the registry is made", after: ORDERS, varies: true });
