import { assertEquals } from "@std/assert";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { eventually } from "../../harness/wait.ts";
import { claimsReady } from "../oracles/honesty.ts";
import { percentile, ServedChanges } from "../served_changes.ts";
import { openStage, type Stage } from "../stage/stage.ts";
import { applyTable, type TableObject } from "../stage/stage_objects.ts";
import { readFaults } from "../verdict.ts";

/** What CI has time for; `TABLEWRIGHT_FAULT_OBJECTS=10000` is the whole plan. */
const OBJECTS = Number(Deno.env.get("TABLEWRIGHT_FAULT_OBJECTS") ?? "2000");
const POISON_EVERY = 100;
const CHANGES = 500;
const CHANGES_PER_SECOND = 50;
/** Objects that users change while the others are made. */
const HOT = 20;
const WRITERS = 20;

/** Objects that cannot be made: one half is refused, the other half fails whenever it is tried, as if others were in its way. */
const POISON = ["refused", "failing"] as const;

function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

function poisonOf(index: number): (typeof POISON)[number] | undefined {
  if (index % POISON_EVERY !== POISON_EVERY - 1) return undefined;
  return POISON[Math.floor(index / POISON_EVERY) % POISON.length];
}

async function make(stage: Stage, index: number): Promise<void> {
  const poison = poisonOf(index);
  const type = poison === "refused" ? "no_such_type" : "integer";
  const tableName = `${poison ?? "bulk"}_${index}`;
  await applyTable(stage, `bulk-${index}`, { tableName, columns: [{ ID: type }], primaryKey: "ID" });
}

async function makeAll(stage: Stage): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: WRITERS }, async () => {
    while (next < OBJECTS) await make(stage, next++);
  }));
}

/** Every try of a table of that name ends with a failure that says: try again. */
async function breakTables({ database }: Stage): Promise<void> {
  await database.sql(`CREATE FUNCTION journal.fail() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE 'public.failing%')
    THEN RAISE EXCEPTION 'not now' USING ERRCODE = 'serialization_failure'; END IF; END $$`);
  await database.sql("CREATE EVENT TRIGGER journal_fail ON ddl_command_end EXECUTE FUNCTION journal.fail()");
}

/** Changes an object fifty times a second, whatever becomes of it; every one of them is met by the backlog. */
async function changeHot(served: ServedChanges): Promise<void> {
  const pending: Promise<void>[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const name = `hot-${change % HOT}`;
    const tableName = name.replace("-", "_");
    const spec = { tableName, columns: [{ ID: "integer" }], primaryKey: "ID", comment: `${change}` };
    pending.push(served.apply(name, spec));
    await new Promise((resolve) => setTimeout(resolve, 1_000 / CHANGES_PER_SECOND));
  }
  await Promise.all(pending);
}

function isReady({ metadata, status }: TableObject): boolean {
  return status !== undefined && claimsReady(status, metadata.generation);
}

/** Waits as long as more and more objects are told of. */
async function settled(served: ServedChanges): Promise<void> {
  const told = () => served.objects.filter(({ status }) => status !== undefined).length;
  for (let before = -1; before < OBJECTS + HOT;) {
    before = await eventually(`more than ${before} objects are told of`, () => told() > before && told());
  }
  const healthy = OBJECTS + HOT - Math.floor(OBJECTS / POISON_EVERY);
  await eventually("all that can be made is Ready", () => served.objects.filter(isReady).length === healthy);
}

/** Nothing that a watch has seen: what the API server says in the end. */
async function readNotReady({ user, namespace }: Stage): Promise<readonly string[]> {
  const objects: TableObject[] = [];
  let token: string | undefined;
  do {
    const page = await user.list<TableObject>(TABLE_RESOURCE, { namespace, limit: 500, continue: token });
    objects.push(...page.items);
    token = page.continue;
  } while (token !== undefined);
  assertEquals(objects.length, OBJECTS + HOT);
  return objects.filter((each) => !isReady(each)).map(({ metadata }) => metadata.name).toSorted();
}

async function tablesMade({ database }: Stage): Promise<readonly unknown[]> {
  const [row] = await database.sql(
    "SELECT count(*)::int AS commands, count(DISTINCT identity)::int AS tables FROM journal.ddl " +
      "WHERE tag = 'CREATE TABLE' AND identity LIKE 'public.%'",
  );
  return [row?.["commands"], row?.["tables"]];
}

Deno.test("scale: a backlog at the start, changes meanwhile, and one object of a hundred that cannot be made", async () => {
  const stage = await openStage("scale");
  try {
    await breakTables(stage);
    await makeAll(stage);
    await using served = new ServedChanges(stage);
    const start = performance.now();
    await stage.start();
    const readyMs = Math.round(performance.now() - start);
    await changeHot(served);
    const changedMs = Math.round(performance.now() - start);
    await eventually("what users changed is done", () => served.open === 0);
    await settled(served);
    const totalMs = Math.round(performance.now() - start);
    const shares = [0.5, 0.95, 0.99, 1].map((share) => percentile(served.waitsMs, share));
    report(
      `scale: ${OBJECTS} objects: process ready after ${readyMs} ms, all told after ${totalMs} ms; ${CHANGES} changes at ` +
        `${CHANGES_PER_SECOND}/s made by ${changedMs} ms, waits p50, p95, p99, longest: ${shares.join(", ")} ms`,
    );
    const indexes = Array.from({ length: OBJECTS }, (_, index) => index);
    const poison = indexes.filter((index) => poisonOf(index) !== undefined).map((index) => `bulk-${index}`).toSorted();
    assertEquals(await readNotReady(stage), poison);
    assertEquals(served.waitsMs.length, CHANGES);
    await stage.stop();
    const made = OBJECTS - poison.length + HOT;
    assertEquals(await tablesMade(stage), [made, made]);
    assertEquals(await readFaults(stage), []);
  } finally {
    await stage.close();
  }
});
