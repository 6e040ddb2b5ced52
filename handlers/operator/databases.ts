import type { KubeClient } from "../../kube/client/client.ts";
import { isKubeError } from "../../kube/client/client.ts";
import type { EventRecorder } from "../../kube/objects/event_recorder.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { KubeObject, ResourceType } from "../../kube/object.ts";
import type { Timing } from "../../kube/timing.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { isLocalAddress } from "../../postgres/session/local_address.ts";
import type { Config } from "../config.ts";
import type { ServerConnection } from "../database_table/server/connection_secret.ts";
import { serverNameOf } from "../database_table/server/database_reference.ts";
import { tableObjects } from "../database_table/objects.ts";
import { serveDatabase, type ServedDatabase, type ServingContext } from "../database_table/server/served_database.ts";
import { ServedDatabases } from "../database_table/server/served_databases.ts";
import {
  type DirectoryObjects,
  type NamedReference,
  type NamespaceFacts,
  ServerDirectory,
} from "../database_table/server/server_directory.ts";
import { StartError } from "../errors.ts";
import type { LeaderFence } from "./leader_fence.ts";
import { mayRead, NAMESPACE } from "../namespace.ts";
import { type Databases, openDatabases } from "../connections/open_databases.ts";
import type { Telemetry } from "./telemetry.ts";
import type { Connections } from "./connections.ts";

/** A server that objects name may be small, and is not alone. */
const MAX_CONNECTIONS = 5;

interface Shared {
  readonly config: Config;
  readonly client: KubeClient;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/**
 * The operator's own database, if it has one; connects to nothing yet.
 *
 * @throws {StartError} one line, without the password, if its URL cannot be used.
 */
export function openOwnDatabase(
  { config, connections }: { readonly config: Config; readonly connections: Connections },
  observers: Pick<Shared, "logger" | "telemetry">,
): Databases | undefined {
  const { databaseUrl: url, databaseDirectUrl: directUrl } = connections;
  if (url === undefined) {
    observers.logger.info("no DATABASE_URL: every DatabaseTable must name its database");
    return undefined;
  }
  const direct = directUrl === undefined ? {} : { directUrl };
  try {
    return openDatabases({ url, ...direct, maxConnections: config.maxConcurrentReconciles }, observers);
  } catch (error) {
    throw error instanceof PostgresError ? new StartError(error.message) : error;
  }
}

/** What works on tables in every database. */
export function servingContext(
  { config, client, timing, logger }: Shared,
  parts: { readonly events: EventRecorder; readonly clusterId: string; readonly fence: LeaderFence },
): ServingContext {
  const { events, clusterId, fence } = parts;
  return {
    fence,
    allowSuperuser: config.allowSuperuser,
    atOnce: Math.max(1, Math.floor(config.maxConcurrentReconciles / 2)),
    sweepIntervalMs: config.sweepIntervalMs,
    clusterId,
    allowedFunctions: config.allowedFunctions,
    objects: tableObjects(client, logger),
    recordEvent: (object, event) => events.record(object, { ...event, action: "Reconcile" }),
    now: () => new Date(timing.now()),
    timing,
    logger,
  };
}

/** All databases that objects may name; the operator's own, which others close, is there from the start. */
export function serveDatabases(shared: Shared, own: Databases | undefined, serving: ServingContext): ServedDatabases {
  const { config, client, timing } = shared;
  return new ServedDatabases({
    fallback: own === undefined ? undefined : serveDatabase(undefined, own, serving),
    directory: new ServerDirectory({ objects: directoryObjects(client), addresses: config.databaseAddresses }),
    open: (reference, connection) => openServer(reference, connection, { shared, serving }),
    timing,
  });
}

function openServer(
  reference: NamedReference,
  connection: ServerConnection,
  { shared, serving }: { readonly shared: Shared; readonly serving: ServingContext },
): ServedDatabase {
  const { config, telemetry } = shared;
  const name = serverNameOf(reference);
  const logger = shared.logger.child({ server: name ?? "" });
  // Whoever writes a Secret must not talk to what only the Pod of the operator may.
  const mayReach = reference.kind === "Secret" && config.inPod
    ? { mayReach: (address: string) => !isLocalAddress(address) }
    : {};
  const maxConnections = Math.min(config.maxConcurrentReconciles, MAX_CONNECTIONS);
  const databases = openDatabases({ ...connection, ...mayReach, maxConnections }, { logger, telemetry });
  return serveDatabase(name, databases, serving);
}

/** The directory's questions on a real API server. */
function directoryObjects(client: KubeClient): DirectoryObjects {
  const read = async <T extends KubeObject>(
    type: ResourceType,
    reference: { readonly namespace?: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<T | undefined> => {
    try {
      return await client.get<T>(type, reference, { signal });
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  };
  return {
    read,
    async readNamespace(name, signal): Promise<NamespaceFacts | undefined> {
      if (!(await mayRead(client, name, { signal }))) return undefined;
      const object = await read<KubeObject<unknown, { readonly phase?: string }>>(NAMESPACE, { name }, signal);
      if (object === undefined) return undefined;
      return { labels: object.metadata.labels ?? {}, isTerminating: object.status?.phase === "Terminating" };
    },
  };
}
