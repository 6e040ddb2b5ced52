import { delay } from "@std/async/delay";
import { reasonOf } from "./local_error.ts";
import { type PostgresServer, startPostgres } from "./postgres_server.ts";

/** A PostgreSQL that comes back when it ends by itself; its URL stays the same. */
export interface KeptPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

export interface KeeperOptions {
  readonly directory: string;
  readonly port: number;
  /** Takes one line when the server has ended, and when it cannot start again. */
  readonly report: (line: string) => void;
}

/** Long enough to be seen as an outage, short enough not to be one. */
const RESTART_DELAY_MS = 3_000;
const LONGEST_DELAY_MS = 30_000;

/**
 * Starts PostgreSQL and starts it again whenever it ends without {@linkcode KeptPostgres.stop}.
 *
 * @throws {LocalError} if the first start fails.
 */
export async function keepPostgresRunning(options: KeeperOptions, signal: AbortSignal): Promise<KeptPostgres> {
  let server = await startPostgres(options, signal);
  const stop = new AbortController();
  const keeping = keep();
  return {
    url: server.url,
    async stop() {
      stop.abort();
      await keeping;
      await server.stop();
    },
  };

  async function keep(): Promise<void> {
    const stopped = new Promise<undefined>((done) => stop.signal.addEventListener("abort", () => done(undefined)));
    while (!stop.signal.aborted) {
      const line = await Promise.race([server.failed, stopped]);
      if (line === undefined) return;
      options.report(`${line}; starting it again`);
      server = await startAgain(options, stop.signal) ?? server;
    }
  }
}

async function startAgain(options: KeeperOptions, signal: AbortSignal): Promise<PostgresServer | undefined> {
  for (let pause = RESTART_DELAY_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_DELAY_MS)) {
    try {
      await delay(pause, { signal });
      return await startPostgres(options, signal);
    } catch (error) {
      if (!signal.aborted) options.report(reasonOf(error));
    }
  }
  return undefined;
}
