import type { KubeClient } from "../kube/client.ts";
import type { EventRecorder } from "../kube/event_recorder.ts";
import type { Logger } from "../kube/logger.ts";
import type { Timing } from "../kube/timing.ts";
import type { Database } from "../postgres/session/client.ts";
import { changeRolePassword } from "../postgres/apply/role_password.ts";
import type { RegistryGate } from "../postgres/registry/registry_gate.ts";
import type { Config } from "./config.ts";
import { generatePassword } from "./database/credentials.ts";
import { databaseHandler } from "./database/handler.ts";
import { databaseObjects } from "./database/objects.ts";
import { databaseTableHandler } from "./database_table/handler.ts";
import { LiveCatalog } from "./database_table/live_catalog.ts";
import { tableObjects } from "./database_table/objects.ts";
import { readNamespacePhase } from "./namespace.ts";
import type { KindHandler } from "./registry.ts";

/** What the kinds' handlers work with. */
export interface KindDependencies {
  readonly client: KubeClient;
  /** For the loop. */
  readonly database: Database;
  /** The same database for admission: verdicts never wait behind DDL. */
  readonly verdictDatabase: Database;
  readonly gate: RegistryGate;
  readonly clusterId: string;
  readonly config: Pick<Config, "allowedFunctions">;
  readonly events: EventRecorder;
  readonly timing: Timing;
  readonly logger: Logger;
}

/** The one list to extend: routes, webhook rules and watches derive from it. */
export function createKinds(dependencies: KindDependencies): readonly KindHandler[] {
  return [tableKind(dependencies), databaseKind(dependencies)];
}

function tableKind(dependencies: KindDependencies): KindHandler {
  const { client, database, verdictDatabase, gate, clusterId, events, timing, logger } = dependencies;
  const { allowedFunctions } = dependencies.config;
  return databaseTableHandler(
    {
      catalog: new LiveCatalog({ database: verdictDatabase, clusterId, allowedFunctions }),
      isNamespaceTerminating: namespaceEnd(client),
      now: () => performance.now(),
      logger,
    },
    {
      database,
      catalog: new LiveCatalog({ database, clusterId, allowedFunctions }),
      allowedFunctions,
      gate,
      clusterId,
      objects: tableObjects(client, logger),
      recordEvent: (object, event) => events.record(object, { ...event, action: "Reconcile" }),
      now: () => new Date(timing.now()),
      timing,
      logger,
    },
  );
}

function databaseKind({ client, events, timing, logger }: KindDependencies): KindHandler {
  const objects = databaseObjects(client, logger);
  return databaseHandler({ objects, isNamespaceTerminating: namespaceEnd(client) }, {
    objects,
    recordEvent: (object, event) => events.record(object, { ...event, action: "Reconcile" }),
    changePassword: (login, passwords, signal) => changeRolePassword({ ...login, ...passwords }, signal),
    newPassword: () => generatePassword((bytes) => crypto.getRandomValues(bytes)),
    now: () => new Date(timing.now()),
    logger,
  });
}

function namespaceEnd(client: KubeClient): (namespace: string, signal: AbortSignal) => Promise<boolean> {
  return async (namespace, signal) => await readNamespacePhase(client, namespace, signal) === "Terminating";
}
