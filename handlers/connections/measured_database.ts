import type { Database, QueryOptions, Transaction } from "../../postgres/session/client.ts";
import type { Telemetry } from "../operator/telemetry.ts";

/** Statements that change a schema, as PostgreSQL's command tags name them. */
const DEFINITION =
  /^\s*(CREATE|ALTER|DROP)\s+(?:UNIQUE\s+|OR\s+REPLACE\s+)*(TABLE|INDEX|SCHEMA|SEQUENCE|VIEW|FUNCTION|TYPE|EXTENSION)\b/;

/** `CREATE TABLE`, `DROP INDEX`, …; `undefined` for what changes no schema. Pure. */
export function definitionKind(sql: string): string | undefined {
  if (/^\s*COMMENT\s+ON\b/.test(sql)) return "COMMENT";
  const match = DEFINITION.exec(sql);
  return match === null ? undefined : `${match[1]} ${match[2]}`;
}

/** Tells how a statement ended. */
type Measure = <T>(sql: string, run: () => Promise<T>) => Promise<T>;

/** The same database; its transactions are spans, and its definition statements are counted and timed. */
export function measureDatabase(database: Database, { metrics, tracer }: Telemetry): Database {
  const measure = measureDefinitions(metrics);
  const system = { "db.system.name": "postgresql" };
  return {
    address: database.address,
    close: () => database.close(),
    transaction: (options, work) =>
      tracer.span(
        "database transaction",
        { ...system, "tablewright.read_only": options.readOnly },
        () => database.transaction(options, (transaction) => work(measured(transaction, measure))),
      ),
    concurrently: (options, text) =>
      tracer.span(
        "database concurrent statement",
        { ...system, "db.operation.name": definitionKind(text) ?? "other" },
        () => measure(text, () => database.concurrently(options, text)),
      ),
  };
}

function measured(transaction: Transaction, measure: Measure): Transaction {
  return {
    query: <Row>(text: string, parameters?: readonly unknown[], options?: QueryOptions) =>
      measure(text, () => transaction.query<Row>(text, parameters, options)),
    describe: (text) => transaction.describe(text),
  };
}

function measureDefinitions(metrics: Telemetry["metrics"]): Measure {
  const total = metrics.counter({
    name: "tablewright_ddl_statements_total",
    help: "Statements that change a schema, by their kind; a statement that ran may still be rolled back.",
    labels: ["statement", "result"],
  });
  const duration = metrics.histogram({
    name: "tablewright_ddl_duration_seconds",
    help: "From sending a statement that changes a schema to its answer, waiting for locks included.",
    labels: ["statement"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
  });
  return async (sql, run) => {
    const statement = definitionKind(sql);
    if (statement === undefined) return await run();
    const startedAt = performance.now();
    let result = "error";
    try {
      const answer = await run();
      result = "success";
      return answer;
    } finally {
      total.add({ statement, result });
      duration.observe({ statement }, (performance.now() - startedAt) / 1000);
    }
  };
}
