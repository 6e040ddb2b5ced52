import { join } from "@std/path";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { findFreePort } from "../../local/ports.ts";
import { workDirectory } from "../../local/postgres_setup.ts";

/** A PostgreSQL of its own that writes down every statement it gets. */
export interface LoggingServer {
  /** As the operator's role. */
  readonly url: string;
  readonly superuserUrl: string;
  /** Statements of the operator's role so far, as the server got them. */
  statements(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Starts it in a temporary folder. */
export async function startLoggingServer(): Promise<LoggingServer> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-injection-" });
  // Beside the folder of the data, which PostgreSQL keeps to itself.
  const log = join(workDirectory({ directory }), "log");
  const settings = {
    ...THROWAWAY_SETTINGS,
    log_statement: "all",
    logging_collector: "on",
    log_destination: "jsonlog",
    log_directory: "../log",
    log_filename: "all.log",
    log_rotation_size: "0",
    log_rotation_age: "0",
  };
  const never = new AbortController().signal;
  const server = await startPostgres({ directory, port: findFreePort(), settings }, never);
  const role = new URL(server.url).username;
  return {
    url: server.url,
    superuserUrl: server.superuserUrl,
    async statements() {
      const text = await Deno.readTextFile(join(log, "all.json"));
      // Behind the last line end somebody is still writing.
      return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").flatMap((line) => statementOf(line, role));
    },
    async stop() {
      await server.stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

function statementOf(line: string, role: string): readonly string[] {
  if (line === "") return [];
  const { user, message } = JSON.parse(line) as { user?: string; message?: string };
  if (user !== role || message === undefined) return [];
  const match = /^(?:statement|execute [^:]*): ([\s\S]*)$/.exec(message);
  return match === null ? [] : [match[1] ?? ""];
}
