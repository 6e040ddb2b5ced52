import { delay } from "@std/async/delay";
import { dirname, join } from "@std/path";
import { type Child, describeEnd, lastLogLine, startChild, stopLeftovers } from "./children.ts";
import { readTextIfPresent, removeIfPresent } from "./files.ts";
import { LocalError } from "./local_error.ts";
import { ensurePostgresBinaries, type PostgresBinaries } from "./postgres_binaries.ts";
import {
  dataDirectory,
  ensureDataDirectory,
  OPERATOR,
  type PostgresSetup,
  SUPERUSER,
  workDirectory,
} from "./postgres_setup.ts";
import { isRunning, readArguments, readProcess } from "./processes.ts";
import { cacheRoot } from "./state.ts";

/** A real PostgreSQL of our own, on the loopback address. */
export interface PostgresServer {
  /** As the operator's role, which is no superuser. */
  readonly url: string;
  readonly superuserUrl: string;
  readonly pid: number;
  /** Resolves with one line when the server ends although nobody stopped it. */
  readonly failed: Promise<string>;
  /** `fast` (default) ends sessions and writes a checkpoint; `immediate` is a crash that recovers at the next start. May be called again. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
}

export interface PostgresOptions {
  /** Keeps data, log and passwords; made if absent. As root its parents must let other users in. */
  readonly directory: string;
  readonly port: number;
  /** Server settings, such as {@linkcode THROWAWAY_SETTINGS}. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Absent: those of PostgreSQL 18. */
  readonly binaries?: PostgresBinaries;
}

/** For data that nobody will miss after a power cut: tests and benchmarks. */
export const THROWAWAY_SETTINGS: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
};

/** The user `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const READY_DEADLINE_MS = 60_000;
const POLL_MS = 10;
/** Sessions of a killed server end within moments, and the next one must wait for them. */
const SHARED_MEMORY_RETRIES = 50;

/**
 * Starts PostgreSQL with the database `tablewright` and waits until it takes connections. The first start in a folder takes a
 * second, later ones 50 ms.
 *
 * @throws {LocalError} with the last line of the server's log, if it does not start.
 */
export async function startPostgres(options: PostgresOptions, signal: AbortSignal): Promise<PostgresServer> {
  const binaries = options.binaries ?? await ensurePostgresBinaries(cacheRoot(), signal);
  const setup = { directory: options.directory, binaries, ...(Deno.uid() === 0 ? { uid: NOBODY } : {}) };
  prepareDirectory(setup);
  await stopLeftovers(options.directory);
  const passwords = await ensureDataDirectory(setup);
  signal.throwIfAborted();
  removeStalePidFile(setup);
  const child = await startServer({ ...options, setup }, signal);
  const failure = Promise.withResolvers<string>();
  let stopping = false;
  child.ended.then((status) => {
    if (!stopping) failure.resolve(describeEnd(child, status));
  });
  const urlOf = (user: string, password: string) =>
    `postgres://${user}:${password}@127.0.0.1:${options.port}/${OPERATOR}`;
  return {
    url: urlOf(OPERATOR, passwords.operator),
    superuserUrl: urlOf(SUPERUSER, passwords.superuser),
    pid: child.pid,
    failed: failure.promise,
    async stop(mode = "fast") {
      stopping = true;
      await child.stop(mode === "fast" ? "SIGINT" : "SIGQUIT");
    },
  };
}

function prepareDirectory({ directory, uid }: PostgresSetup): void {
  const work = workDirectory({ directory });
  Deno.mkdirSync(work, { recursive: true, mode: 0o755 });
  if (uid === undefined) return;
  // Enterable, not readable: the server must reach what is its own, others see nothing.
  Deno.chmodSync(directory, 0o711);
  Deno.chownSync(work, uid, uid);
  for (let parent = dirname(directory); parent !== "/"; parent = dirname(parent)) {
    if (((Deno.statSync(parent).mode ?? 0) & 0o001) === 0) {
      throw new LocalError(
        `Cannot start PostgreSQL in ${directory}: it runs as user ${uid}, who must be able to enter ${parent}: set TABLEWRIGHT_CACHE or chmod o+x`,
      );
    }
  }
}

/** A server that was killed leaves its pid file; a stranger that has the number now must not keep us from starting. */
function removeStalePidFile(setup: PostgresSetup): void {
  const path = join(dataDirectory(setup), "postmaster.pid");
  const pid = Number(readTextIfPresent(path)?.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  const info = readProcess(pid);
  const isOurs = info !== undefined && isRunning(info) && readArguments(pid).includes(dataDirectory(setup));
  if (isOurs) {
    throw new LocalError(
      `Cannot start PostgreSQL in ${setup.directory}: it runs already as process ${pid}: stop it first`,
    );
  }
  removeIfPresent(path);
}

type Start = PostgresOptions & { readonly setup: PostgresSetup };

async function startServer(options: Start, signal: AbortSignal): Promise<Child> {
  for (let attempt = 1;; attempt++) {
    const child = spawnServer(options);
    const outcome = await waitUntilReady(child, { data: dataDirectory(options), signal });
    if (outcome === "ready") return child;
    const line = lastLogLine(child.logPath);
    const mayPass = /shared memory|lock file/.test(line) && attempt < SHARED_MEMORY_RETRIES;
    if (!mayPass) throw new LocalError(`Cannot start PostgreSQL: ${line} (log: ${child.logPath})`);
    await delay(100, { signal });
  }
}

function spawnServer({ directory, port, settings, setup }: Start): Child {
  const all = { listen_addresses: "127.0.0.1", port: String(port), unix_socket_directories: "", ...settings };
  return startChild({
    name: "postgres",
    command: setup.binaries.postgres,
    args: [
      "-D",
      dataDirectory({ directory }),
      ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    recordDirectory: directory,
    logPath: join(workDirectory({ directory }), "postgres.log"),
    workingDirectory: workDirectory({ directory }),
    env: { LC_ALL: "C", TZ: "UTC" },
    ...(setup.uid === undefined ? {} : { uid: setup.uid }),
    stopSignal: "SIGINT",
    stopDeadlineMs: 5_000,
  });
}

/** The server itself writes "ready" as the eighth line of its pid file, as `pg_ctl` reads it. */
async function waitUntilReady(
  child: Child,
  { data, signal }: { readonly data: string; readonly signal: AbortSignal },
): Promise<"ready" | "ended"> {
  let ended = false;
  child.ended.then(() => ended = true);
  const deadline = performance.now() + READY_DEADLINE_MS;
  try {
    while (!ended) {
      const lines = (readTextIfPresent(join(data, "postmaster.pid")) ?? "").split("\n");
      if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return "ready";
      if (performance.now() > deadline) {
        throw new LocalError(
          `Cannot start PostgreSQL: not ready after ${READY_DEADLINE_MS / 1_000} s (log: ${child.logPath})`,
        );
      }
      await delay(POLL_MS, { signal });
    }
    return "ended";
  } catch (error) {
    await child.stop("SIGQUIT");
    throw error;
  }
}
