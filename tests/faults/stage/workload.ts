import { assertEquals } from "@std/assert";
import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { openStage, type Stage, type StageOptions } from "./stage.ts";
import { applyTable, deleteTable, tableGone, tableReady } from "./stage_objects.ts";
import { idle } from "./scenario.ts";
import { compareOutcomes, markOf, type Outcome, readFaults, readOutcome, storyOf } from "../verdict.ts";

const NAMES = ["apples", "pears", "plums", "limes"];

function spec(name: string, more: Readonly<Record<string, string>> = {}): PlanSpec {
  const columns = [{ ID: "integer" }, ...Object.entries(more).map(([column, type]) => ({ [column]: type }))];
  return { tableName: name, columns, primaryKey: "ID" };
}

/** The first half of what a user does: four tables. */
export async function makeTables(stage: Stage): Promise<void> {
  for (const name of NAMES) await applyTable(stage, name, spec(name));
}

/** Waits until all four tables are there. */
export async function tablesMade(stage: Stage): Promise<void> {
  for (const name of NAMES) await tableReady(stage, name);
}

/** The second half: one gets a column, one gets two, two are deleted. */
export async function changeTables(stage: Stage): Promise<void> {
  await applyTable(stage, "apples", spec("apples", { NOTE: "text" }));
  await applyTable(stage, "pears", spec("pears", { NOTE: "text", AMOUNT: "bigint" }));
  await deleteTable(stage, "plums");
  await deleteTable(stage, "limes");
}

/** Waits until all of that is so. */
export async function tablesChanged(stage: Stage): Promise<void> {
  for (const name of ["apples", "pears"]) await tableReady(stage, name);
  for (const name of ["plums", "limes"]) await tableGone(stage, name);
}

/** What may go wrong in a run, and when. */
export interface Fault {
  /** Before the operator starts. */
  readonly atStart?: (stage: Stage) => Promise<void> | void;
  /** Around the first half: what it answers is called when the user has acted. */
  readonly whileMaking?: Step;
  /** Around the second half. */
  readonly whileChanging?: Step;
}

/** Breaks something. @returns what mends it, after a look at what the operator says meanwhile. */
export type Step = (stage: Stage) => Promise<() => Promise<void> | void> | (() => Promise<void> | void);

let reference: Promise<Outcome> | undefined;

/** Runs the workload beside a fault and compares it with an undisturbed run. @returns what is wrong. */
export async function faultsUnder(plan: string, fault: Fault, options: StageOptions = {}): Promise<readonly string[]> {
  reference ??= run(`${plan}-reference`, {}).then(({ outcome, faults }) => {
    assertEquals(faults, []);
    return outcome;
  });
  const expected = await reference;
  const { outcome, faults, story } = await run(plan, fault, options);
  const all = [...faults, ...compareOutcomes(expected, outcome)];
  return all.length === 0 ? [] : [...all, ...story];
}

async function run(plan: string, { atStart, whileMaking, whileChanging }: Fault, options: StageOptions = {}): Promise<{
  readonly outcome: Outcome;
  readonly faults: readonly string[];
  readonly story: readonly string[];
}> {
  const stage = await openStage(plan, options);
  try {
    await atStart?.(stage);
    // Whether the registry is made before or behind the moment at which reviews are answered is a matter of chance.
    const { journal } = await markOf(stage);
    await stage.start();
    const mark = { ...await markOf(stage), journal };
    await around(stage, whileMaking, makeTables);
    await tablesMade(stage);
    await around(stage, whileChanging, changeTables);
    await tablesChanged(stage);
    await idle(stage);
    await stage.stop();
    const outcome = await readOutcome(stage, mark);
    return { outcome, faults: await readFaults(stage), story: storyOf(stage, ["any"]) };
  } finally {
    await stage.close();
  }
}

async function around(stage: Stage, step: Step | undefined, work: (stage: Stage) => Promise<void>): Promise<void> {
  const mend = await step?.(stage);
  await work(stage);
  await mend?.();
}
