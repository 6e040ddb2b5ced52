import { assertEquals } from "@std/assert";
import { isSameJson } from "../../../crds/same_json.ts";
import { eventually } from "../../harness/wait.ts";
import { type PlanSpec, readParts } from "../oracles/catalog_parts.ts";
import { readDefinition, readEndState } from "../oracles/end_state.ts";
import { OwnPostgres } from "../stage/own_postgres.ts";
import { idle } from "../stage/scenario.ts";
import { openStage, type Stage } from "../stage/stage.ts";
import { applyTable, deleteTable, PATIENCE, tableGone, tableReady, tableWaits } from "../stage/stage_objects.ts";
import { readFaults, storyOf } from "../verdict.ts";

const ID = { ID: "integer" };
const NOTE = { NOTE: "text" };

function spec(tableName: string, ...columns: PlanSpec["columns"]): PlanSpec {
  return { tableName, columns: [ID, ...columns], primaryKey: "ID" };
}

/** What stood when the standby heard of the primary for the last time. */
const EARLIER = {
  altered: spec("altered"),
  renamed: spec("renamed"),
  narrowed: { ...spec("narrowed", NOTE), changePolicy: { allow: ["DropColumn"] } },
  forbidden: { ...spec("forbidden", NOTE), changePolicy: { allow: ["DropColumn"] } },
  untouched: spec("untouched"),
  anew: spec("anew"),
  deleted: spec("deleted"),
};

/** What users made of it, and what the standby never heard. */
const LATER = {
  altered: { ...spec("altered", NOTE), indexes: [{ name: "by_note", columns: ["NOTE"] }] },
  renamed: spec("renamed_since"),
  narrowed: { ...spec("narrowed"), changePolicy: { allow: ["DropColumn"] } },
  forbidden: { ...spec("forbidden"), changePolicy: { allow: ["DropColumn"] } },
  anew: spec("anew", NOTE),
  created: spec("created", NOTE),
};

async function apply(stage: Stage, tables: Readonly<Record<string, PlanSpec>>): Promise<void> {
  for (const [name, each] of Object.entries(tables)) await applyTable(stage, name, each);
  for (const name of Object.keys(tables)) await tableReady(stage, name);
}

async function changeAll(stage: Stage): Promise<void> {
  for (const name of ["deleted", "anew"]) {
    await deleteTable(stage, name);
    await tableGone(stage, name);
  }
  await apply(stage, LATER);
  // Nobody may drop that column any more; it is dropped already.
  await apply(stage, { forbidden: { ...LATER.forbidden, changePolicy: { allow: [] } } });
}

/** The server is replaced while a user makes one more table: the operator meets the outage, and then a server that takes no writes. */
async function loseCommits(stage: Stage, postgres: OwnPostgres): Promise<void> {
  const promote = Promise.withResolvers<void>();
  const failover = postgres.failOver(promote.promise);
  await applyTable(stage, "meanwhile", spec("meanwhile"));
  await tableWaits(stage, "meanwhile", /^(DatabaseUnreachable|ApplyFailed)$/);
  promote.resolve();
  await failover;
  await tableReady(stage, "meanwhile");
}

/** All of them claim to be Ready the whole time: only the catalog says when they are what they were. */
async function untilMadeAgain(stage: Stage, before: readonly string[]): Promise<void> {
  for (
    const { tableName } of [EARLIER.untouched, LATER.altered, LATER.renamed, LATER.narrowed, LATER.anew, LATER.created]
  ) {
    const ofTable = (line: string) => line.startsWith(`table ${tableName}: `) && !line.endsWith(" rows");
    const expected = before.filter(ofTable);
    await eventually(
      `${tableName} is as before`,
      async () => isSameJson(await readDefinition(stage.database, tableName), expected),
      PATIENCE,
    );
  }
}

/** But for what nobody promised: what a lost change of the policy allowed, and tables and rows that users had given up. */
function promised(endState: readonly string[]): readonly string[] {
  return endState.filter((line) => !/\b(forbidden|deleted|meanwhile)\b|table anew: \d rows/.test(line));
}

/** What a user does about a table whose deletion was lost, and about a plan that needs another word. */
async function mend(stage: Stage): Promise<void> {
  await apply(stage, { forbidden: LATER.forbidden, deleted: EARLIER.deleted });
  assertEquals([await rowsOf(stage, "deleted"), await readParts(stage.database.sql, "forbidden")], [
    5,
    ["PRIMARY KEY (id)", "column id integer not null"],
  ]);
  await deleteTable(stage, "deleted");
  await tableGone(stage, "deleted");
  assertEquals(await readParts(stage.database.sql, "deleted"), []);
}

async function rowsOf({ database: { sql } }: Stage, table: string): Promise<unknown> {
  const [row] = await sql(`SELECT count(*)::int AS n FROM public.${table}`);
  return row?.["n"];
}

Deno.test("failover: a standby that has missed the last commits takes over, and what was lost is made again", async () => {
  const postgres = await OwnPostgres.start();
  const stage = await openStage("failover", { testbed: postgres.testbed });
  try {
    await stage.start();
    await apply(stage, EARLIER);
    const filled = ["untouched", "anew", "deleted"];
    for (const table of filled) await stage.database.sql(`INSERT INTO public.${table} SELECT generate_series(1, 5)`);
    await idle(stage);
    await postgres.keepStandby();
    await changeAll(stage);
    await idle(stage);
    const before = await readEndState(stage);
    await loseCommits(stage, postgres);
    await untilMadeAgain(stage, before);
    await tableWaits(stage, "forbidden", /^PlanRefused$/);
    await idle(stage);
    assertEquals(promised(await readEndState(stage)), promised(before));
    for (const table of filled) assertEquals(await rowsOf(stage, table), 5, table);
    await mend(stage);
    await idle(stage);
    await stage.stop();
    const faults = await readFaults(stage);
    assertEquals([...faults, ...storyOf(stage, faults)], []);
  } finally {
    await stage.close();
  }
});
