import { assertEquals } from "@std/assert";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { OperatorProcess } from "../../harness/operator_process.ts";
import { eventually } from "../../harness/wait.ts";
import { readJournal } from "../ddl_journal.ts";
import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { ddlLines } from "../oracles/journals.ts";
import type { Strike } from "../proxies/review_proxy.ts";
import { ID, NOTE } from "../stage/plan_tables.ts";
import { Replicas } from "../stage/replicas.ts";
import { idle } from "../stage/scenario.ts";
import { openStage, type Stage } from "../stage/stage.ts";
import { applyTable, PATIENCE, tableReady, tryApply } from "../stage/stage_objects.ts";
import { readFaults, storyOf } from "../verdict.ts";

const ORDERS = { type: TABLE_RESOURCE, name: "orders" };
const MADE: PlanSpec = { tableName: "orders", columns: [ID], primaryKey: "ID" };
const CHANGED: PlanSpec = { ...MADE, columns: [ID, NOTE], indexes: [{ name: "by_note", columns: ["NOTE"] }] };

/** Of an apply the second review asks PostgreSQL; the first one only completes the object. */
const [MUTATING, VALIDATING] = [1, 2];

type Hit = Strike["hit"];

/** SIGKILL for whoever was asked. */
function kill({ operators }: Stage): Hit {
  return async (port) => {
    const asked = operators.find(({ webhookPort }) => webhookPort === port);
    asked?.sendIfAlive("SIGKILL");
    await asked?.ended;
  };
}

/** The same, while it waits for what PostgreSQL says to the plan. */
function killAsking(stage: Stage): Hit {
  return async (port, forward) => {
    const { behaviour } = stage.postgres;
    const asked = Promise.withResolvers<void>();
    behaviour.silent = true;
    behaviour.onStatement = () => asked.resolve();
    await forward();
    await asked.promise;
    await kill(stage)(port, forward);
    delete behaviour.silent;
    delete behaviour.onStatement;
  };
}

/** Objects at their versions, and all DDL so far. */
async function look({ user, namespace, database: { sql } }: Stage): Promise<readonly string[]> {
  const { items } = await user.list<KubeObject>(TABLE_RESOURCE, { namespace });
  const objects = items.map(({ metadata: { name, resourceVersion } }) => `${name} ${resourceVersion}`);
  return [...objects, ...ddlLines(await readJournal(sql))];
}

/** Waits until a dry run is granted: the API server may find out only by a review that nobody is there any more where it asks. */
async function answered(stage: Stage, spec: PlanSpec): Promise<void> {
  await eventually("reviews are answered", () => tryApply(stage, ORDERS, { spec, dryRun: true }), PATIENCE);
}

/** Somebody dies with the review of one apply, which the user is told at once, and of which nothing is left. */
async function struck(
  stage: Stage,
  strike: Strike,
  { spec, dryRun = false }: { readonly spec: PlanSpec; readonly dryRun?: boolean },
): Promise<void> {
  // The connections are open then, and nothing but reviews comes over them.
  await answered(stage, spec);
  const before = await look(stage);
  stage.reviews.strike = strike;
  assertEquals(await tryApply(stage, ORDERS, { spec, dryRun }), false, "the API server was answered");
  assertEquals(stage.reviews.strike, undefined, "nobody was struck");
  assertEquals(await look(stage), before);
}

/** What was refused on the way has changed nothing, and what was granted was done once. */
async function assertDoneOnce({ database: { sql } }: Stage): Promise<void> {
  const ddl = ddlLines(await readJournal(sql)).filter((line) => / public\.(orders|by_note)/.test(line));
  assertEquals(ddl, [
    "CREATE TABLE public.orders",
    "CREATE INDEX public.orders_pkey",
    "ALTER TABLE public.orders",
    "CREATE INDEX public.by_note",
  ]);
}

Deno.test("review kill: the only operator dies with a review, and the same apply works when it is back", async () => {
  const stage = await openStage("review-kill", { webhooks: true });
  try {
    await stage.start();
    for (
      const [review, at, hit] of [[MUTATING, "request", kill(stage)], [
        VALIDATING,
        "request",
        killAsking(stage),
      ]] as const
    ) {
      await idle(stage);
      await struck(stage, { review, at, hit }, { spec: MADE });
      await stage.start();
    }
    await applyTable(stage, "orders", MADE);
    await tableReady(stage, "orders");
    for (const dryRun of [true, false]) {
      await idle(stage);
      await struck(stage, { review: VALIDATING, at: "answer", hit: kill(stage) }, { spec: CHANGED, dryRun });
      await stage.start();
    }
    await idle(stage);
    const before = await look(stage);
    assertEquals(await tryApply(stage, ORDERS, { spec: CHANGED, dryRun: true }), true);
    assertEquals(await look(stage), before);
    await applyTable(stage, "orders", CHANGED);
    await tableReady(stage, "orders");
    await idle(stage);
    await assertDoneOnce(stage);
    await stage.stop();
    const faults = await readFaults(stage);
    assertEquals([...faults, ...storyOf(stage, faults)], []);
  } finally {
    await stage.close();
  }
});

Deno.test("review kill: one of two replicas dies with a review, and the other one answers the next try", async () => {
  await using replicas = await Replicas.open("review-kill", { webhooks: true });
  const { stage } = replicas;
  const leader = await replicas.leader();
  const strike = { review: VALIDATING, at: "answer", hit: kill(stage) } as const;
  const strikeAt = async (replica: OperatorProcess, spec: PlanSpec) => {
    stage.reviews.preferred = replica.webhookPort;
    stage.reviews.cut();
    await idle({ ...stage, operators: [leader] });
    await struck(stage, strike, { spec });
    assertEquals((await replica.ended).signal, "SIGKILL");
    // Nobody has come in its place.
    assertEquals(await tryApply(stage, ORDERS, { spec }), true);
  };
  for (const follower of stage.operators.filter((each) => each !== leader)) await strikeAt(follower, MADE);
  await tableReady(stage, "orders");
  await stage.start();
  await strikeAt(leader, CHANGED);
  await tableReady(stage, "orders");
  await assertDoneOnce(stage);
  assertEquals(await replicas.end(1), []);
});
