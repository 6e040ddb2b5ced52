import { findFreePort } from "../../local/ports.ts";
import type { PostgresBinaries } from "../../local/postgres_binaries.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";

/** A PostgreSQL of any version, for data that nobody keeps. */
export interface ThrowawayPostgres {
  readonly superuserUrl: string;
  stop(): Promise<void>;
}

/** @param binaries Absent: those of PostgreSQL 18. */
export async function startThrowawayPostgres(binaries?: PostgresBinaries): Promise<ThrowawayPostgres> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-postgres-" });
  const options = {
    directory,
    port: findFreePort(),
    settings: THROWAWAY_SETTINGS,
    ...(binaries === undefined ? {} : { binaries }),
  };
  const server = await startPostgres(options, new AbortController().signal);
  return {
    superuserUrl: server.superuserUrl,
    async stop() {
      await server.stop("immediate");
      await Deno.remove(directory, { recursive: true });
    },
  };
}
