import type { KubeClient } from "../../kube/client/client.ts";
import { patientClient } from "../../kube/client/patience.ts";
import { EventRecorder } from "../../kube/objects/event_recorder.ts";
import type { LeaderElection } from "../../kube/election/leader_election.ts";
import { createLogger, type Logger } from "../../kube/telemetry/logger.ts";
import { systemTiming, type Timing } from "../../kube/timing.ts";
import { Admission } from "../admission/admission.ts";
import type { Config } from "../config.ts";
import { controlKind, type KindControl } from "./control.ts";
import { TABLE_RESOURCE } from "../database_table/handler.ts";
import type { ServedDatabases } from "../database_table/server/served_databases.ts";
import { observeEvents } from "./event_metrics.ts";
import { Heartbeat } from "./heartbeat.ts";
import { createKinds } from "../kinds.ts";
import { LeaderFence } from "./leader_fence.ts";
import type { KindHandler } from "../registry.ts";
import { openTelemetry } from "./telemetry.ts";
import { meetNamespaces } from "./watched_namespaces.ts";
import type { Connections } from "./connections.ts";
import { openOwnDatabase, serveDatabases, servingContext } from "./databases.ts";
import { prepareElection } from "./election.ts";
import { isExpected, meetCluster, meetDatabase, meetDefinitions, openClient } from "./meet.ts";
import { Shutdown } from "./shutdown.ts";

/** All that an operator consists of, made and met, and nothing of it started. */
export interface OperatorParts {
  readonly config: Config;
  readonly connections: Connections;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly telemetry: Awaited<ReturnType<typeof openTelemetry>>;
  readonly client: KubeClient;
  readonly databases: ServedDatabases;
  readonly events: EventRecorder;
  readonly kinds: readonly KindHandler[];
  readonly controls: readonly KindControl[];
  readonly admission: Admission;
  /** Absent: this is the only replica, and leads. */
  readonly election: LeaderElection | undefined;
  readonly fence: LeaderFence;
  readonly heartbeat: Heartbeat;
  readonly shutdown: Shutdown;
  /** Where no namespace is, nothing can be admitted, nor the way to us be proven: that waits until there is one. */
  readonly isProvable: boolean;
}

/**
 * Connects to the cluster and the database, and makes everything that works on them.
 *
 * @param resources Gets what must be closed when the operator ends.
 * @throws {StartError} one line, if it cannot start and only a person can mend that.
 */
export async function makeParts(
  { config, connections }: { readonly config: Config; readonly connections: Connections },
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<OperatorParts> {
  const timing = systemTiming;
  const logger = createLogger({ format: config.logFormat, level: config.logLevel });
  const telemetry = await openTelemetry();
  const client = resources.adopt(openClient(connections.cluster, telemetry.metrics), (each) => each.close());
  const own = openOwnDatabase({ config, connections }, { logger, telemetry });
  if (own !== undefined) resources.use(own);
  const fence = new LeaderFence();
  const { embeddedCluster } = connections;
  const shared = { config, client, timing, logger, telemetry };
  const isAnyRoleAllowed = own === undefined || config.allowSuperuser;
  const [{ clusterId, namespaces, meeting, election }] = await Promise.all([
    meetApiServer(shared, connections, signal),
    isAnyRoleAllowed ? undefined : meetDatabase(own.verdictDatabase, logger, signal),
  ]);
  const observers = observeEvents(telemetry.metrics);
  const events = new EventRecorder({ ...shared, ...observers, reportingInstance: config.instance });
  const serving = servingContext(shared, { events, clusterId, fence });
  const databases = resources.use(serveDatabases(shared, own, serving));
  const kinds = createKinds({ ...shared, databases, serving, events, namespaces: config.namespaces });
  const replicas = { replicasNamespace: election && meeting, embeddedCluster };
  const admission = await Admission.create({ ...shared, ...replicas, kinds, probeType: TABLE_RESOURCE }, signal);
  const limits = { namespaces: config.namespaces, workers: config.maxConcurrentReconciles };
  const control = { ...shared, ...limits, isExpected, recovery: databases };
  const controls = kinds.flatMap((kind) => controlKind(kind, control) ?? []);
  const isProvable = config.namespaces.length === 0 || namespaces.length > 0;
  const state = {
    election,
    fence,
    heartbeat: new Heartbeat(timing, () => performance.now()),
    shutdown: new Shutdown({ inPod: config.inPod, timing }),
  };
  return { ...shared, ...state, connections, databases, events, kinds, controls, admission, isProvable };
}

/** What must be known of the cluster and be there in it; the rest is asked at once, since a new replica is waited for. */
async function meetApiServer(
  { config, client, logger }: Pick<OperatorParts, "config" | "client" | "logger">,
  { embeddedCluster, cluster }: Connections,
  signal: AbortSignal,
) {
  const patient = patientClient(client, { timing: systemTiming, signal, logger });
  const clusterId = await meetCluster(client, config.namespaces, signal);
  const whenMissing = embeddedCluster ? "create" : "warn";
  const meeting = config.leaderElectionNamespace ?? cluster.namespace;
  const [namespaces, election] = await Promise.all([
    meetNamespaces({ client: patient, whenMissing, logger }, config.namespaces, signal),
    prepareElection({ config, client, namespace: meeting, logger }, signal),
  ]);
  if (config.installCrds) await meetDefinitions(patient, logger, signal);
  return { clusterId, namespaces, meeting, election };
}
