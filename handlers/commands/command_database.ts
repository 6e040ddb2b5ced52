import { type Database, openDatabase } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { StartError } from "../errors.ts";
import type { Terminal } from "./terminal.ts";

const CONNECTIONS = 4;

/**
 * The database of `DATABASE_URL`; connects to nothing yet.
 *
 * @throws {StartError} one line, without the password, if there is none or its URL cannot be used.
 */
export function commandDatabase({ env }: Pick<Terminal, "env">): Database {
  const url = env["DATABASE_URL"] || undefined;
  if (url === undefined) throw new StartError("Cannot choose a database: DATABASE_URL must be set");
  try {
    return openDatabase({ url, applicationName: "tablewright", maxConnections: CONNECTIONS });
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(error.message) : error;
  }
}
