import { ensureBinaries } from "./binaries.ts";
import type { Choice } from "./choice.ts";
import { type ControlPlane, startControlPlane } from "./control_plane.ts";
import { LocalError } from "./local_error.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { keepPostgresRunning, type KeptPostgres } from "./postgres_keeper.ts";
import {
  type CloneState,
  controlPlaneDirectory,
  type Environment,
  nodesDirectory,
  postgresDirectory,
} from "./state.ts";

/** The servers of a local run: those that were chosen to be embedded. */
export interface LocalServers {
  readonly controlPlane?: ControlPlane;
  readonly postgres?: KeptPostgres;
  /** Path of the kubectl that belongs to the control plane. */
  readonly kubectl?: string;
  /** Ends all, the cluster first. */
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
  readonly nodes: Nodes;
  readonly kubectl: string;
}

async function startCluster({ cacheRoot, env, report, state }: ServersOptions, signal: AbortSignal): Promise<Cluster> {
  const binaries = await ensureBinaries({ cacheRoot, env, report }, signal);
  const directory = controlPlaneDirectory(state);
  const controlPlane = await startControlPlane({ directory, binaries, ports: state.ports, onRestart: report }, signal);
  try {
    const { kubeconfigPath } = controlPlane;
    const folder = nodesDirectory(state);
    const nodes = await startNodes(
      { directory: folder, binaries, kubeconfigPath, cluster: controlPlane, report },
      signal,
    );
    return { controlPlane, nodes, kubectl: binaries.kubectl };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}

async function startDatabase({ state, report }: ServersOptions, signal: AbortSignal): Promise<KeptPostgres> {
  return await keepPostgresRunning({ directory: postgresDirectory(state), port: state.ports.postgres, report }, signal);
}

function toServers(cluster: Cluster | undefined, postgres: KeptPostgres | undefined): LocalServers {
  return {
    ...(cluster === undefined ? {} : { controlPlane: cluster.controlPlane, kubectl: cluster.kubectl }),
    ...(postgres === undefined ? {} : { postgres }),
    async stop() {
      await cluster?.nodes.stop();
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
