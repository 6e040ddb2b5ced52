import { deleteAll } from "./cleanup.ts";
import { BulkWatch } from "./bulk_watch.ts";
import { progress, report } from "./figure.ts";
import { runBlock } from "./load.ts";
import { startOperator } from "./operator.ts";
import type { Stage } from "./stage.ts";
import { createTableSql, FLOOR_RESOURCE, TABLE_RESOURCE, tableManifest, tableName } from "./tables.ts";
import type { ResourceType } from "../../kube/object.ts";

export const BULK_SIZE = 2_000;
const ROUNDS = 2;
const WRITE = { inFlight: 50 };
const DDL = { inFlight: 10 };
const FINALIZER = "floor.tablewright.dev/bench";

/** Milliseconds of one wave. */
interface Wave {
  readonly create: number;
  readonly delete: number;
}

/** Many tables at once, until all exist and all objects are Ready; then deleted, until all are gone. */
export async function benchBulk(stage: Stage): Promise<void> {
  const operator = await startOperator(stage);
  try {
    await floorWave(stage, "warm-up");
    await operatorWave(stage, "warm-up");
    const floor: Wave[] = [];
    const measured: Wave[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      progress(`bulk: ${BULK_SIZE} tables, round ${round} of ${ROUNDS}`);
      floor.push(await floorWave(stage, `floor-${round}`));
      measured.push(await operatorWave(stage, `table-${round}`));
    }
    for (const verb of ["create", "delete"] as const) {
      const rate = (waves: readonly Wave[]) => BULK_SIZE * waves.length * 1_000 / sum(waves.map((wave) => wave[verb]));
      const name = `bulk ${verb} of ${BULK_SIZE}`;
      report({ name, value: rate(measured), floor: rate(floor), unit: "1/s", runs: ROUNDS });
    }
  } finally {
    await deleteAll(stage);
    await operator.stop();
  }
}

/** What the operator makes of it. */
export async function operatorWave(stage: Stage, prefix: string): Promise<Wave> {
  const { client, namespace } = stage;
  const watch = await BulkWatch.open({ client, type: TABLE_RESOURCE, namespace });
  try {
    const start = performance.now();
    await createObjects(stage, TABLE_RESOURCE, prefix);
    await watch.ready(BULK_SIZE);
    const created = performance.now();
    await expectTables(stage, prefix, BULK_SIZE);
    const deleteStart = performance.now();
    await runBlock(
      { count: BULK_SIZE, ...WRITE },
      (index) => client.delete(TABLE_RESOURCE, { namespace, name: `${prefix}-${index}` }),
    );
    await watch.gone(BULK_SIZE);
    const deleted = performance.now();
    await expectTables(stage, prefix, 0);
    return { create: created - start, delete: deleted - deleteStart };
  } finally {
    watch.close();
  }
}

/** The same effects by hand: creates, the DDL on ten connections, one status write an object; each stage feeds the next. */
async function floorWave(stage: Stage, prefix: string): Promise<Wave> {
  const { client, namespace, sql } = stage;
  const type = FLOOR_RESOURCE;
  const watch = await BulkWatch.open({ client, type, namespace });
  const reference = (index: number) => ({ namespace, name: `${prefix}-${index}` });
  const table = (index: number) => tableName(`${prefix}-${index}`);
  const ddl = new Lanes(DDL.inFlight);
  try {
    const start = performance.now();
    await all((index) => client.create(type, floorManifest(type, reference(index))), async (index) => {
      await ddl.run(() => sql.unsafe(createTableSql(table(index))));
      const value = { status: { observedGeneration: 1, conditions: [readyCondition()] } };
      await client.patch(type, { ...reference(index), subresource: "status" }, { patch: { kind: "merge", value } });
    });
    await watch.ready(BULK_SIZE);
    const created = performance.now();
    await all((index) => client.delete(type, reference(index)), async (index) => {
      await ddl.run(() => sql.unsafe(`DROP TABLE public."${table(index)}"`));
      const value = { metadata: { finalizers: null } };
      await client.patch(type, reference(index), { patch: { kind: "merge", value } });
    });
    await watch.gone(BULK_SIZE);
    return { create: created - start, delete: performance.now() - created };
  } finally {
    watch.close();
  }
}

/** Calls `first` for every object, 50 at a time, and `then` for each that is done, without holding up the others. */
async function all(
  first: (index: number) => Promise<unknown>,
  then: (index: number) => Promise<unknown>,
): Promise<void> {
  const rest: Promise<unknown>[] = [];
  const lanes = new Lanes(WRITE.inFlight);
  await runBlock({ count: BULK_SIZE, ...WRITE }, async (index) => {
    await first(index);
    rest.push(lanes.run(() => then(index)));
  });
  await Promise.all(rest);
}

/** Runs so many things at a time. */
class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

function createObjects({ client, namespace }: Stage, type: ResourceType, prefix: string): Promise<unknown> {
  return runBlock(
    { count: BULK_SIZE, ...WRITE },
    (index) => client.create(type, tableManifest(type, { namespace, name: `${prefix}-${index}` })),
  );
}

function floorManifest(type: ResourceType, id: { readonly namespace: string; readonly name: string }) {
  const manifest = tableManifest(type, id);
  return { ...manifest, metadata: { ...manifest.metadata, finalizers: [FINALIZER] } };
}

function readyCondition(): unknown {
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return { type: "Ready", status: "True", observedGeneration: 1, lastTransitionTime, reason: "Applied", message: "" };
}

/** A figure counts only if the work was really done. */
async function expectTables({ sql }: Stage, prefix: string, expected: number): Promise<void> {
  const like = tableName(`${prefix}-`).replaceAll("_", "\\_");
  const rows = await sql.unsafe(
    `SELECT count(*)::int AS found FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE '${like}%'`,
  );
  const found = rows[0]?.["found"];
  if (found !== expected) throw new Error(`there must be ${expected} tables named ${prefix}-*: there are ${found}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
