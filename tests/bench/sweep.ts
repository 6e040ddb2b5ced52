import { readClusterId } from "../../handlers/namespace.ts";
import { findChangedTables } from "../../postgres/registry/sweep.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { percentile, progress, report } from "./figure.ts";
import { MANY, prepareManyTables } from "./many_tables.ts";
import type { Stage } from "./stage.ts";
import { connect } from "./sql.ts";

const RUNS = 10;
/** Of `/proc/PID/stat`. */
const TICKS_PER_SECOND = 100;

/**
 * What finds drift among 10,000 tables. The floor is one pass over the widest of the catalogs that it reads, by hand: every
 * fingerprint must at least touch each of their rows.
 */
export async function benchSweep(stage: Stage): Promise<void> {
  await prepareManyTables(stage);
  const clusterId = await readClusterId(stage.client, [], new AbortController().signal) ?? "";
  const database = openDatabase({ url: stage.databaseUrl, applicationName: "bench", maxConnections: 1 });
  const sql = connect(stage.databaseUrl, 1);
  const floor: number[] = [];
  const measured: number[] = [];
  const processor: number[] = [];
  try {
    progress(`sweep of ${MANY} tables`);
    for (let run = 0; run <= RUNS; run++) {
      const start = performance.now();
      await sql.unsafe(PASS);
      const between = performance.now();
      const spent = await sweep(database, clusterId);
      // The first fills caches.
      if (run === 0) continue;
      floor.push(between - start);
      measured.push(performance.now() - between);
      processor.push(spent);
    }
  } finally {
    await Promise.all([database.close(), sql.end({ timeout: 1 })]);
  }
  const name = `sweep of ${MANY} tables`;
  report({ name, value: percentile(measured, 0.5), floor: percentile(floor, 0.5), unit: "ms", runs: RUNS });
  const mean = processor.reduce((sum, each) => sum + each, 0) / RUNS;
  report({ name: `${name}, PostgreSQL's processor time`, value: mean, floor: null, unit: "ms", runs: RUNS });
}

/** A pass over pg_attribute, one over pg_class, and their join. */
const PASS = `SELECT count(c.xmin) FROM pg_class c
  LEFT JOIN (SELECT attrelid, sum(xmin::text::bigint) AS h FROM pg_attribute WHERE attnum > 0 GROUP BY 1) a ON a.attrelid = c.oid
  WHERE c.relkind = 'r'`;

/** Answers the processor time of the server's process, in milliseconds. */
async function sweep(database: ReturnType<typeof openDatabase>, clusterId: string): Promise<number> {
  const { signal } = new AbortController();
  const limits = { readOnly: true, lockTimeoutMs: 1_000, statementTimeoutMs: 30_000, signal };
  return await database.transaction(limits, async (transaction) => {
    const [row] = await transaction.query<{ readonly pid: number }>("SELECT pg_backend_pid() AS pid");
    const before = processorTime(row?.pid ?? 0);
    const changed = await findChangedTables(transaction, clusterId);
    if (changed.length > 0) throw new Error(`${changed.length} tables were changed: the figure counts nothing`);
    return processorTime(row?.pid ?? 0) - before;
  });
}

function processorTime(pid: number): number {
  const [, fields = ""] = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ");
  const [user, system] = fields.split(" ").slice(11, 13).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) * 1_000 / TICKS_PER_SECOND;
}
