import type { Logger } from "../kube/logger.ts";
import { systemTiming } from "../kube/timing.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../postgres/session/client.ts";
import { PostgresError } from "../postgres/session/errors.ts";
import type { Config } from "./config.ts";
import { DatabaseRecovery } from "./database_recovery.ts";
import { StartError } from "./errors.ts";
import { measureDatabase } from "./measured_database.ts";
import type { Telemetry } from "./telemetry.ts";

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

/**
 * Connects to nothing yet.
 *
 * @throws {StartError} one line, without the password, if the URL cannot be used.
 */
export function openDatabases(
  config: Config,
  url: string,
  { logger, telemetry }: { readonly logger: Logger; readonly telemetry: Telemetry },
): Databases {
  const onUnprepared = () =>
    logger.info(
      "the database, or a pooler before it, forgets prepared statements: from now on every statement is planned anew",
    );
  const loop = open(url, { maxConnections: config.maxConcurrentReconciles, onUnprepared });
  const verdicts = open(url, { maxConnections: VERDICT_CONNECTIONS, onUnprepared });
  const probe = open(url, { maxConnections: 1, onUnprepared });
  const recovery = new DatabaseRecovery({ database: probe, timing: systemTiming, logger });
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

function open(url: string, options: Pick<DatabaseOptions, "maxConnections" | "onUnprepared">): Database {
  try {
    return openDatabase({ url, applicationName: "tablewright", ...options });
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(error.message) : error;
  }
}
