import type { KubeClient } from "../../kube/client.ts";
import { EventRecorder } from "../../kube/event_recorder.ts";
import { createLogger, type Logger } from "../../kube/logger.ts";
import { systemTiming, type Timing } from "../../kube/timing.ts";
import { RegistryGate } from "../../postgres/registry/registry_gate.ts";
import { Admission } from "../admission.ts";
import type { Config } from "../config.ts";
import { controlKind, type KindControl } from "../control.ts";
import { TABLE_RESOURCE } from "../database_table/handler.ts";
import { createKinds } from "../kinds.ts";
import { type Databases, openDatabases } from "../open_databases.ts";
import type { KindHandler } from "../registry.ts";
import { meetNamespaces } from "../watched_namespaces.ts";
import type { Connections } from "./connections.ts";
import { isExpected, meetCluster, meetDatabase, meetDefinitions, openClient } from "./meet.ts";

/** All that an operator consists of, made and met, and nothing of it started. */
export interface OperatorParts {
  readonly config: Config;
  readonly connections: Connections;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly client: KubeClient;
  readonly databases: Databases;
  readonly events: EventRecorder;
  readonly kinds: readonly KindHandler[];
  readonly controls: readonly KindControl[];
  readonly admission: Admission;
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
  const client = resources.adopt(openClient(connections.cluster), (each) => each.close());
  const databases = resources.use(openDatabases(config, connections.databaseUrl, logger));
  const gate = new RegistryGate(databases.database, { allowSuperuser: config.allowSuperuser, now: timing.now });
  const { embeddedCluster } = connections;
  const clusterId = await meetCluster(client, signal);
  const whenMissing = embeddedCluster ? "create" : "warn";
  const namespaces = await meetNamespaces({ client, whenMissing, logger }, config.namespaces, signal);
  await meetDatabase(gate, logger, signal);
  if (config.installCrds) await meetDefinitions(client, logger, signal);

  const events = new EventRecorder({ client, reportingInstance: config.instance, timing, logger });
  const shared = { config, client, timing, logger };
  const kinds = createKinds({
    ...shared,
    ...databases,
    ...{ gate, clusterId, events },
    allowedFunctions: config.allowedFunctions,
  });
  const admission = await Admission.create({ ...shared, embeddedCluster, kinds, probeType: TABLE_RESOURCE });
  const control = {
    ...shared,
    namespaces: config.namespaces,
    workers: config.maxConcurrentReconciles,
    isExpected,
    recovery: databases.recovery,
  };
  const controls = kinds.flatMap((kind) => controlKind(kind, control) ?? []);
  const isProvable = config.namespaces.length === 0 || namespaces.length > 0;
  return { ...shared, connections, databases, events, kinds, controls, admission, isProvable };
}
