import { delay } from "@std/async/delay";
import { progress, report } from "./figure.ts";
import { MANY, prepareManyTables } from "./many_tables.ts";
import { startOperator } from "./operator.ts";
import { residentMemory } from "./programs.ts";
import type { Stage } from "./stage.ts";
import { TABLE_RESOURCE, tableManifest } from "./tables.ts";
import { until } from "./wait.ts";

const RUNS = 3;
/** What the start left to collect is collected behind the first sweep, 30 s later. */
const AT_REST_MS = 40_000;
const LAST = "after-many";

/** A start with 10,000 tables that nobody touched; the floor is a start with the same cluster and database but no objects. */
export async function benchRestart(stage: Stage): Promise<void> {
  const floor: Restart[] = [];
  const measured: Restart[] = [];
  await stage.sql.unsafe("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  await stage.sql.unsafe(`ALTER ROLE ${stage.role} SET pg_stat_statements.track = 'top'`);
  try {
    // The first start installs definitions and the registry.
    await restart(stage);
    for (let run = 0; run < RUNS; run++) floor.push(await restart(stage));
    const restsAt = await memoryAtRest(stage);
    await prepareManyTables(stage);
    for (let run = 1; run <= RUNS; run++) {
      progress(`restart with ${MANY} tables, run ${run} of ${RUNS}`);
      measured.push(await restart(stage));
    }
    const value = await memoryAtRest(stage);
    report({ name: `restart with ${MANY} tables, RSS at rest`, value, floor: restsAt, unit: "MB", runs: 1 });
  } finally {
    await stage.sql.unsafe(`ALTER ROLE ${stage.role} RESET pg_stat_statements.track`);
  }
  const units = { ready: "ms", settled: "ms", queries: "calls", ddl: "calls", writes: "calls", memory: "MB" } as const;
  for (const [key, unit] of Object.entries(units) as [keyof Restart, "ms" | "calls" | "MB"][]) {
    const of = (restarts: readonly Restart[]) => median(restarts.map((each) => each[key]));
    const name = `restart with ${MANY} tables, ${WORDS[key]}`;
    report({ name, value: of(measured), floor: of(floor), unit, runs: RUNS });
  }
}

/** Of a start after which nobody has asked for anything, in MB. */
async function memoryAtRest(stage: Stage): Promise<number> {
  const operator = await startOperator(stage, "pod");
  try {
    await delay(AT_REST_MS);
    return residentMemory(operator.child.pid).now;
  } finally {
    await operator.stop();
  }
}

interface Restart {
  /** From the start of the process until its webhooks fail closed. */
  readonly ready: number;
  /** From the start until an object that was made when it was ready, behind all others, is Ready. */
  readonly settled: number;
  /** Statements on the database until then, without those that begin, end and set up transactions; the last object's own included. */
  readonly queries: number;
  readonly ddl: number;
  /** Objects that were written, the last one not counted. */
  readonly writes: number;
  readonly memory: number;
}

const WORDS: Readonly<Record<keyof Restart, string>> = {
  ready: "start -> ready",
  settled: "start -> one more object is Ready",
  queries: "statements until then",
  ddl: "DDL for objects that were there",
  writes: "objects written that were there",
  memory: "RSS then",
};

async function restart(stage: Stage): Promise<Restart> {
  const { client, namespace, sql } = stage;
  const reference = { namespace, name: LAST };
  const before = await versions(stage);
  await sql.unsafe("SELECT pg_stat_statements_reset()");
  const start = performance.now();
  const operator = await startOperator(stage, "pod");
  const ready = performance.now() - start;
  try {
    await client.create(TABLE_RESOURCE, tableManifest(TABLE_RESOURCE, reference));
    await until("the last object is Ready", async () => isReady((await client.get(TABLE_RESOURCE, reference)).status));
    const settled = performance.now() - start;
    const { now: memory } = residentMemory(operator.child.pid);
    const asked = await statements(stage);
    const after = await versions(stage);
    const writes = [...before].filter(([name, version]) => after.get(name) !== version).length;
    await client.delete(TABLE_RESOURCE, reference);
    await until("the last object is gone", async () => !(await versions(stage)).has(LAST));
    // The last object's own CREATE TABLE.
    return { ready, settled, memory, writes, queries: asked.all, ddl: asked.ddl - 1 };
  } finally {
    await operator.stop();
  }
}

async function versions({ client, namespace }: Stage): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let token: string | undefined;
  do {
    const page = await client.list(TABLE_RESOURCE, {
      namespace,
      limit: 1_000,
      ...(token === undefined ? {} : { continue: token }),
    }).catch(() => undefined);
    if (page === undefined) return found;
    for (const { metadata } of page.items) found.set(metadata.name, metadata.resourceVersion);
    token = page.continue;
  } while (token !== undefined);
  return found;
}

async function statements({ sql, role }: Stage): Promise<{ readonly all: number; readonly ddl: number }> {
  const [row] = await sql.unsafe(
    `SELECT coalesce(sum(calls) FILTER (WHERE query !~ '^(BEGIN|COMMIT|ROLLBACK|SELECT pg_catalog.set_config)'), 0)::int AS all,
       coalesce(sum(calls) FILTER (WHERE query ~* '^\\s*(CREATE|ALTER|DROP|COMMENT)'), 0)::int AS ddl
     FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = '${role}'`,
  );
  return { all: Number(row?.["all"]), ddl: Number(row?.["ddl"]) };
}

function isReady(status: unknown): boolean {
  const { conditions } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
