import type { Logger } from "../kube/logger.ts";
import { systemTiming } from "../kube/timing.ts";
import { type Database, openDatabase } from "../postgres/session/client.ts";
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
  const loop = open(url, config.maxConcurrentReconciles);
  const verdicts = open(url, VERDICT_CONNECTIONS);
  const probe = open(url, 1);
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

function open(url: string, maxConnections: number): Database {
  try {
    return openDatabase({ url, applicationName: "tablewright", maxConnections });
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(error.message) : error;
  }
}
