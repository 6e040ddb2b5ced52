import { assertEquals } from "@std/assert";
import { apiVersionOf } from "../../../kube/object.ts";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { Kubectl } from "../../harness/kubectl.ts";
import { eventually } from "../../harness/wait.ts";
import { testCrashPoints, testStartCrashPoints } from "../crash_plan.ts";
import { FILLED, ID, NOTE, ORDERS } from "../stage/plan_tables.ts";
import { idle, type Scenario } from "../stage/scenario.ts";
import { openStage, type Stage } from "../stage/stage.ts";
import { applyTable, deleteTable, isWebhookSilent, tableGone, tableReady, tableWaits } from "../stage/stage_objects.ts";
import { readFaults, ROW_CANARY, storyOf } from "../verdict.ts";

/** The API server asks the operator about each write, and takes none while nobody answers. */
const SCENARIOS: readonly Scenario[] = [
  { name: "create with webhooks", after: ORDERS },
  {
    name: "add a column with webhooks",
    ...FILLED,
    after: { ...ORDERS, columns: [...ORDERS.columns, { AMOUNT: "bigint" }] },
  },
  { name: "delete with webhooks", ...FILLED },
];

SCENARIOS.map((scenario) => ({ ...scenario, webhooks: true })).forEach(testCrashPoints);

testStartCrashPoints({
  name: "the webhooks are registered",
  after: ORDERS,
  webhooks: true,
  effects: /webhookconfigurations/,
  varies: true,
});

/** What the rows of the table forbid, each for another reason. */
const REFUSED = [
  { columns: [ID, { NOTE: "varchar(3)" }], changePolicy: { allow: ["NarrowType", "RewriteTable"] } },
  { uniqueConstraints: [{ columns: ["NOTE"] }] },
  { columns: [ID, NOTE, { MORE: { type: "text", notNull: true } }] },
];

const CHECKED = { checks: [{ name: "early", expression: "ID < 2" }] };

/** Nobody knows what an expression makes of a value before it runs: only the loop meets it. */
const MET_LATER = [CHECKED, {
  ...CHECKED,
  columns: [ID, { NOTE: { type: "integer", using: "NOTE::integer" } }],
  changePolicy: { allow: ["ChangeType", "RewriteTable"] },
}];

/** @returns the exit code of kubectl. */
async function applyChange(
  stage: Stage,
  change: Readonly<Record<string, unknown>>,
  ...flags: readonly string[]
): Promise<number> {
  const kubectl = new Kubectl(stage.testbed, stage.namespace);
  const metadata = { name: "orders", namespace: stage.namespace };
  const spec = { ...ORDERS, tableName: "orders", ...change };
  const { kind } = TABLE_RESOURCE;
  const manifest = { apiVersion: apiVersionOf(TABLE_RESOURCE), kind, metadata, spec };
  const { code, stdout, stderr } = await eventually("the webhooks answer", async () => {
    const answer = await kubectl.apply(manifest, ...flags);
    return !isWebhookSilent(answer.stderr) && answer;
  });
  stage.heard.push({ where: `the output of kubectl about ${JSON.stringify(change)}`, text: stdout + stderr });
  return code;
}

Deno.test("admission: what the rows forbid is refused, and nothing that is said repeats a value", async () => {
  const stage = await openStage("refused", { webhooks: true });
  try {
    await stage.start();
    await applyTable(stage, "orders", { ...ORDERS, tableName: "orders" });
    await tableReady(stage, "orders");
    await stage.database.sql(`INSERT INTO public.orders SELECT n, '${ROW_CANARY}' FROM generate_series(1, 5) n`);
    for (const change of REFUSED) {
      // A database that does not answer within 1.5 s is no reason to refuse.
      await eventually("it is refused", async () => await applyChange(stage, change, "--dry-run=server") === 1);
      assertEquals(await applyChange(stage, change), 1, stage.heard.at(-1)?.text);
    }
    for (const change of MET_LATER) {
      assertEquals(await applyChange(stage, change), 0, stage.heard.at(-1)?.text);
      await tableWaits(stage, "orders", /./);
    }
    // A declared check stays, not validated, until the rows are mended: it goes with the table.
    await deleteTable(stage, "orders");
    await tableGone(stage, "orders");
    await idle(stage);
    await stage.stop();
    const faults = await readFaults(stage);
    assertEquals([...faults, ...storyOf(stage, faults)], []);
  } finally {
    await stage.close();
  }
});
