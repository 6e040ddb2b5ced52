import { ensureBinaries } from "./binaries.ts";
import type { Choice } from "./choice.ts";
import { type ControlPlane, startControlPlane } from "./control_plane.ts";
import { LocalError } from "./local_error.ts";
import { type PostgresServer, startPostgres } from "./postgres_server.ts";
import { type CloneState, controlPlaneDirectory, type Environment, postgresDirectory } from "./state.ts";

/** The servers of a local run: those that were chosen to be embedded. */
export interface LocalServers {
  readonly controlPlane?: ControlPlane;
  readonly postgres?: PostgresServer;
  /** Path of the kubectl that belongs to the control plane. */
  readonly kubectl?: string;
  /** Resolves with one line when one of them ends although nobody stopped it. */
  readonly failed: Promise<string>;
  /** Ends all, the control plane first. */
  stop(): Promise<void>;
}

export interface ServersOptions {
  readonly choice: Choice;
  readonly cacheRoot: string;
  readonly state: CloneState;
  readonly env: Environment;
  readonly report: (line: string) => void;
}

/**
 * Starts what was chosen to be embedded, all at once. If one fails, the others are stopped before this throws.
 *
 * @throws {LocalError} one line that names the component and its log.
 */
export async function startServers(options: ServersOptions, signal: AbortSignal): Promise<LocalServers> {
  refuseOtherSystems();
  const abort = new AbortController();
  const either = AbortSignal.any([signal, abort.signal]);
  const { cluster, database } = options.choice;
  const starts = [
    cluster.kind === "embedded" ? startCluster(options, either) : undefined,
    database.kind === "embedded" ? startDatabase(options, either) : undefined,
  ] as const;
  // The first failure ends the other start, which may be a build of minutes.
  let firstFailure: unknown;
  for (const start of starts) {
    start?.catch((error) => {
      firstFailure ??= error;
      abort.abort(error);
    });
  }
  const [controlPlane, postgres] = await Promise.allSettled(starts);
  const servers = toServers(valueOf(controlPlane), valueOf(postgres));
  if (firstFailure === undefined) return servers;
  await servers.stop();
  throw firstFailure;
}

interface Cluster {
  readonly controlPlane: ControlPlane;
  readonly kubectl: string;
}

async function startCluster({ cacheRoot, env, report, state }: ServersOptions, signal: AbortSignal): Promise<Cluster> {
  const binaries = await ensureBinaries({ cacheRoot, env, report }, signal);
  const directory = controlPlaneDirectory(state);
  return {
    controlPlane: await startControlPlane({ directory, binaries, ports: state.ports }, signal),
    kubectl: binaries.kubectl,
  };
}

async function startDatabase({ state }: ServersOptions, signal: AbortSignal): Promise<PostgresServer> {
  return await startPostgres({ directory: postgresDirectory(state), port: state.ports.postgres }, signal);
}

function toServers(cluster: Cluster | undefined, postgres: PostgresServer | undefined): LocalServers {
  const failures = [cluster?.controlPlane.failed, postgres?.failed].filter((each) => each !== undefined);
  return {
    ...(cluster === undefined ? {} : cluster),
    ...(postgres === undefined ? {} : { postgres }),
    failed: Promise.race(failures),
    async stop() {
      await cluster?.controlPlane.stop();
      await postgres?.stop();
    },
  };
}

function valueOf<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === "fulfilled" ? result.value : undefined;
}

function refuseOtherSystems(): void {
  if (Deno.build.os === "linux") return;
  throw new LocalError(
    `Cannot start embedded servers: the system must be Linux: current value is ${Deno.build.os}; set KUBECONFIG and DATABASE_URL`,
  );
}
