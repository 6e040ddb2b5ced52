import type { Logger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../../postgres/session/client.ts";
import { greetingOf } from "../../postgres/session/greeting.ts";
import { DatabaseRecovery } from "./database_recovery.ts";
import { measureDatabase } from "./measured_database.ts";
import type { Telemetry } from "../operator/telemetry.ts";

/** One database, reached in three ways. */
export interface Databases extends AsyncDisposable {
  /** For the loop. */
  readonly database: Database;
  /** For admission: verdicts never wait behind DDL. */
  readonly verdictDatabase: Database;
  /** Knows whether it can be reached, on a connection of its own. */
  readonly recovery: DatabaseRecovery;
}

const VERDICT_CONNECTIONS = 8;

/** Where a database is and how many transactions it gets at once. */
export interface OpenOptions extends Pick<DatabaseOptions, "url" | "directUrl" | "certificateAuthority" | "mayReach"> {
  /** For the loop. */
  readonly maxConnections: number;
}

/**
 * Connects to nothing yet.
 *
 * @throws {PostgresError} one line, without the password, if the URL cannot be used.
 */
export function openDatabases(
  options: OpenOptions,
  { logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
): Databases {
  const onUnprepared = () =>
    logger.info(
      "the database, or a pooler before it, forgets prepared statements: from now on every statement is planned anew",
    );
  const open = (maxConnections: number, more: Pick<DatabaseOptions, "idleMs"> = {}) =>
    openDatabase({ ...options, ...more, applicationName: "tablewright", maxConnections, onUnprepared });
  const loop = open(options.maxConnections);
  const verdicts = open(Math.min(VERDICT_CONNECTIONS, options.maxConnections));
  // What a session of before would answer is no news.
  const probe = open(1, { idleMs: 0 });
  const greet = greetingOf(options);
  const greetDirectly = greetingOf({ ...options, url: options.directUrl ?? options.url });
  const recovery = new DatabaseRecovery({ database: probe, greet, greetDirectly, timing: systemTiming, logger });
  return {
    database: recovery.guard(measureDatabase(loop, telemetry)),
    verdictDatabase: recovery.guard(measureDatabase(verdicts, telemetry)),
    recovery,
    async [Symbol.asyncDispose]() {
      recovery[Symbol.dispose]();
      await Promise.all([loop, verdicts, probe].map((each) => each.close()));
    },
  };
}
