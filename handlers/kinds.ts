import type { KubeClient } from "../kube/client/client.ts";
import type { EventRecorder } from "../kube/objects/event_recorder.ts";
import type { Logger } from "../kube/telemetry/logger.ts";
import type { Timing } from "../kube/timing.ts";
import { changeRolePassword } from "../postgres/apply/role_password.ts";
import { generatePassword } from "./database/build/credentials.ts";
import { databaseHandler } from "./database/handler.ts";
import { databaseObjects } from "./database/objects.ts";
import { databaseTableHandler } from "./database_table/handler.ts";
import { TableDispatch } from "./database_table/server/dispatch.ts";
import type { ServingContext } from "./database_table/server/served_database.ts";
import type { ServedDatabases } from "./database_table/server/served_databases.ts";
import { tablesIn } from "./database_table/server/tables_in.ts";
import { readNamespacePhase } from "./namespace.ts";
import type { KindHandler } from "./registry.ts";
import { sampleHandler } from "./sample/handler.ts";
import { sampleObjects } from "./sample/objects.ts";

/** What the kinds' handlers work with. */
export interface KindDependencies {
  readonly client: KubeClient;
  readonly databases: ServedDatabases;
  readonly serving: ServingContext;
  readonly events: EventRecorder;
  readonly timing: Timing;
  readonly logger: Logger;
  /** Namespaces that are watched; empty: all. */
  readonly namespaces: readonly string[];
}

/** The one list to extend: routes, webhook rules and watches derive from it. */
export function createKinds(dependencies: KindDependencies): readonly KindHandler[] {
  return [tableKind(dependencies), databaseKind(dependencies), sampleKind(dependencies)];
}

function tableKind({ client, databases, serving, logger }: KindDependencies): KindHandler {
  const admission = { isNamespaceTerminating: namespaceEnd(client), now: () => performance.now(), logger };
  return databaseTableHandler(new TableDispatch(databases, serving, admission), databases);
}

function databaseKind({ client, databases, events, timing, logger, namespaces }: KindDependencies): KindHandler {
  const objects = databaseObjects(client, logger);
  const admission = { objects, isNamespaceTerminating: namespaceEnd(client), tablesIn: tablesIn(client, namespaces) };
  return databaseHandler(admission, {
    objects,
    recordEvent: (object, event) => events.record(object, { ...event, action: "Reconcile" }),
    changePassword: (login, passwords, signal) => changeRolePassword({ ...login, ...passwords }, signal),
    newPassword: () => generatePassword((bytes) => crypto.getRandomValues(bytes)),
    now: () => new Date(timing.now()),
    uptime: () => timing.uptime(),
    logger,
  }, (database) => databases.serves(database));
}

function sampleKind({ client, events, timing, logger }: KindDependencies): KindHandler {
  return sampleHandler({
    objects: sampleObjects(client, logger),
    recordEvent: (object, event) => events.record(object, { ...event, action: "Reconcile" }),
    now: () => new Date(timing.now()),
  });
}

function namespaceEnd(client: KubeClient): (namespace: string, signal: AbortSignal) => Promise<boolean> {
  return async (namespace, signal) => await readNamespacePhase(client, namespace, signal) === "Terminating";
}
