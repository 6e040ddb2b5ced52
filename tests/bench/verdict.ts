import { createLogger } from "../../kube/telemetry/logger.ts";
import { admitTable } from "../../handlers/database_table/admit.ts";
import { LiveCatalog } from "../../handlers/database_table/verdict/live_catalog.ts";
import type { AdmissionRequest } from "../../handlers/admission/admission_review.ts";
import { ensureRegistry } from "../../postgres/registry/registry.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { reportLatency } from "./figure.ts";
import type { Stage } from "./stage.ts";

const RUNS = 500;
const COLUMNS = [{ ID: "integer" }, { NAME: "varchar(50)" }, {
  MADE: { type: "timestamptz", defaultExpression: "now()" },
}];

/** A whole verdict with the live catalog, straight on the function that the webhook calls. Its floor is an empty transaction. */
export async function benchVerdict(stage: Stage): Promise<void> {
  const { signal } = new AbortController();
  const database = openDatabase({ url: stage.databaseUrl, applicationName: "tablewright-bench", maxConnections: 1 });
  try {
    await ensureRegistry(database, signal);
    const clusterId = crypto.randomUUID();
    const context = {
      catalog: new LiveCatalog({ database, clusterId, allowedFunctions: new Set<string>() }),
      isNamespaceTerminating: () => Promise.resolve(false),
      now: () => performance.now(),
      logger: createLogger({ format: "plain", level: "error" }),
    };
    const limits = { lockTimeoutMs: 1_000, statementTimeoutMs: 1_000, signal, readOnly: true };
    const verdicts = await sample(async (run) => await admitTable(requestOf(run), context, signal));
    const floor = await sample(async () => await database.transaction(limits, (each) => each.query("SELECT 1")));
    reportLatency("verdict with the live catalog", verdicts, floor);
  } finally {
    await database.close();
  }
}

async function sample(work: (run: number) => Promise<unknown>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let run = 0; run < RUNS + 50; run++) {
    const started = performance.now();
    await work(run);
    if (run >= 50) samples.push(performance.now() - started);
  }
  return samples;
}

function requestOf(run: number): AdmissionRequest {
  const name = `verdict-${run}`;
  const spec = { tableName: `verdict_${run}`, columns: COLUMNS, primaryKey: "ID" };
  return {
    uid: crypto.randomUUID(),
    operation: "CREATE",
    resource: { group: "kopf.demo", version: "v1", resource: "databasetables" },
    kind: "DatabaseTable",
    namespace: "bench",
    name,
    object: { metadata: { name, namespace: "bench" }, spec },
    oldObject: undefined,
    dryRun: true,
  };
}
