import { KubeClient, KubeError } from "../../kube/client/client.ts";
import type { ClusterConfig } from "../../kube/client/client.ts";
import { LeadershipLost } from "../../kube/election/leadership.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Metrics } from "../../kube/telemetry/metrics.ts";
import { isPassing, patiently, type StartClient } from "../../kube/client/patience.ts";
import { observeRequests } from "../../kube/client/request_metrics.ts";
import { systemTiming } from "../../kube/timing.ts";
import {
  refuseSuperuser,
  RegistryUntrusted,
  SuperuserRefused,
  UnsupportedServer,
} from "../../postgres/registry/registry_gate.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import type { ServedDatabases } from "../database_table/server/served_databases.ts";
import { StartError } from "../errors.ts";
import { installDefinitions } from "./install.ts";
import { readClusterId } from "../namespace.ts";

const START_TIMEOUT_MS = 10_000;
const NAMELESS_CLUSTER =
  "Cannot tell this cluster from others that may share the database: let an administrator grant " +
  "get on the namespace kube-system, or on one that is watched";

/** @throws {StartError} one line, if the configuration cannot be used. */
export function openClient(cluster: ClusterConfig, metrics: Metrics): KubeClient {
  try {
    return new KubeClient(cluster, { onAnswer: observeRequests(metrics, cluster.server) });
  } catch (error) {
    throw error instanceof TypeError ? new StartError(error.message.replaceAll(/\s+/g, " ")) : error;
  }
}

/**
 * Waits a moment for an API server that has just started; whoever gave a wrong address wants to know it.
 *
 * @returns the id of the cluster.
 * @throws {StartError} one line, if it cannot be reached or refuses us.
 */
export async function meetCluster(
  client: Pick<StartClient, "get" | "request">,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  // An API server that has just started serves before kube-system is there.
  const passes = (error: KubeError) => isPassing(error) || error.status === 404;
  try {
    const call = () => readClusterId(client, namespaces, signal);
    const id = await patiently(call, { timing: systemTiming, signal, passes });
    if (id !== undefined) return id;
  } catch (error) {
    throw error instanceof KubeError ? new StartError(error.message) : error;
  }
  throw new StartError(NAMELESS_CLUSTER);
}

/** @throws {StartError} one line, if the definitions cannot be written. */
export async function meetDefinitions(client: StartClient, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    await installDefinitions({ client, timing: systemTiming, logger }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new StartError(
      `Cannot install the CustomResourceDefinitions and the static policy: ${error.message}; ` +
        "let an administrator do it, and give --no-crds",
    );
  }
}

/**
 * A database that is down is waited for by every table; a role that may do everything is refused at once. Changes nothing, since
 * another replica may lead.
 *
 * @throws {StartError} one line, for that role.
 */
export async function meetDatabase(database: Database, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    await refuseSuperuser(database, AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]));
  } catch (error) {
    if (error instanceof SuperuserRefused) throw new StartError(error.message);
    warnOfDatabase(error, logger);
  }
}

/** Makes the registry if there is none: for the leader. A fault of it is told by every table, and asked for again by each. */
export async function meetRegistry(
  { databases, logger }: { readonly databases: Pick<ServedDatabases, "fallback">; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  try {
    await databases.fallback?.gate.check(AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]));
  } catch (error) {
    if (!signal.aborted) warnOfDatabase(error, logger);
  }
}

function warnOfDatabase(error: unknown, logger: Logger): void {
  if (!isExpected(error)) throw error;
  logger.warn("the database cannot be used yet", { reason: error instanceof Error ? error.message : String(error) });
}

/** Whether an error is an outside failure that was handled, and no bug. */
export function isExpected(error: unknown): boolean {
  return [PostgresError, RegistryUntrusted, SuperuserRefused, UnsupportedServer, LeadershipLost].some((known) =>
    error instanceof known
  );
}
