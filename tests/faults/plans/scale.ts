import { assertEquals } from "@std/assert";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { eventually } from "../../harness/wait.ts";
import { openStage, type Stage } from "../stage.ts";
import { applyTable, type TableObject } from "../stage_objects.ts";
import { claimsReady } from "../oracles/honesty.ts";
import { readFaults } from "../verdict.ts";

/** CI takes 2,000; `TABLEWRIGHT_FAULT_OBJECTS=10000` is the whole plan. */
const OBJECTS = Number(Deno.env.get("TABLEWRIGHT_FAULT_OBJECTS") ?? "2000");
const POISON_EVERY = 100;
const CHANGES = 500;
const CHANGES_PER_SECOND = 50;
/** Objects that users change while the others are made. */
const HOT = 20;
const WRITERS = 20;

function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

function isPoison(index: number): boolean {
  return index % POISON_EVERY === POISON_EVERY - 1;
}

async function make(stage: Stage, index: number): Promise<void> {
  const type = isPoison(index) ? "no_such_type" : "integer";
  await applyTable(stage, `bulk-${index}`, { tableName: `bulk_${index}`, columns: [{ ID: type }], primaryKey: "ID" });
}

async function makeAll(stage: Stage): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: WRITERS }, async () => {
    while (next < OBJECTS) await make(stage, next++);
  }));
}

async function readAll({ user, namespace }: Stage): Promise<readonly TableObject[]> {
  const objects: TableObject[] = [];
  let token: string | undefined;
  do {
    const page = await user.list<TableObject>(TABLE_RESOURCE, { namespace, limit: 500, continue: token });
    objects.push(...page.items);
    token = page.continue;
  } while (token !== undefined);
  return objects;
}

/** Changes an object fifty times a second, whatever becomes of it; every one of them is met by the backlog. */
async function changeHot(stage: Stage): Promise<void> {
  const pending: Promise<void>[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const name = `hot-${change % HOT}`;
    const spec = {
      tableName: `hot_${change % HOT}`,
      columns: [{ ID: "integer" }],
      primaryKey: "ID",
      comment: `${change}`,
    };
    pending.push(applyTable(stage, name, spec));
    await new Promise((resolve) => setTimeout(resolve, 1_000 / CHANGES_PER_SECOND));
  }
  await Promise.all(pending);
}

function isReady({ metadata, status }: TableObject): boolean {
  return status !== undefined && claimsReady(status, metadata.generation);
}

async function hotReady(stage: Stage): Promise<boolean> {
  const hot = (await readAll(stage)).filter(({ metadata }) => metadata.name.startsWith("hot-"));
  return hot.length === HOT && hot.every(isReady);
}

/** Waits as long as there is progress. */
async function settled(stage: Stage): Promise<readonly TableObject[]> {
  for (let ready = -1;;) {
    const objects = await eventually("more objects are told of", async () => {
      const all = await readAll(stage);
      const told = all.filter((each) => isReady(each) || each.status !== undefined);
      return told.length > ready && all;
    });
    ready = objects.filter((each) => isReady(each) || each.status !== undefined).length;
    if (ready === OBJECTS + HOT) return objects;
  }
}

Deno.test("scale: a backlog at the start, changes meanwhile, and one object of a hundred that cannot be made", async () => {
  const stage = await openStage("scale");
  try {
    await makeAll(stage);
    const start = performance.now();
    await stage.start();
    const readyMs = Math.round(performance.now() - start);
    await changeHot(stage);
    const changedMs = performance.now();
    await eventually("what users changed is done", () => hotReady(stage));
    const hotMs = Math.round(performance.now() - changedMs);
    const objects = await settled(stage);
    const totalMs = Math.round(performance.now() - start);
    report(
      `scale: ${OBJECTS} objects: process ready after ${readyMs} ms, all told after ${totalMs} ms, ` +
        `${CHANGES} changes at ${CHANGES_PER_SECOND}/s done ${hotMs} ms after the last one`,
    );
    await eventually("the changed ones stay as they are", () => hotReady(stage));
    const poison = objects.filter((each) => !isReady(each) && each.metadata.name.startsWith("bulk-"));
    assertEquals(poison.length, Math.floor(OBJECTS / POISON_EVERY));
    await stage.stop();
    const [row] = await stage.database.sql(
      "SELECT count(*)::int AS commands, count(DISTINCT identity)::int AS tables FROM journal.ddl " +
        "WHERE tag = 'CREATE TABLE' AND identity LIKE 'public.%'",
    );
    const made = OBJECTS - poison.length + HOT;
    assertEquals([row?.["commands"], row?.["tables"]], [made, made]);
    assertEquals(await readFaults(stage), []);
  } finally {
    await stage.close();
  }
});
