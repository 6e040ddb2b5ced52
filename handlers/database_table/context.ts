import type { DatabaseTable, DatabaseTableStatus } from "../../crds/database_table/types.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Timing } from "../../kube/timing.ts";
import type { Database } from "../../postgres/session/client.ts";
import type { Owner } from "../../postgres/registry/registry.ts";
import type { KindEnd } from "./kind_end.ts";
import type { LiveCatalog } from "./verdict/live_catalog.ts";
import type { RegistryGate } from "../../postgres/registry/registry_gate.ts";

/** What the reconciler does to Kubernetes, as few verbs as it needs. */
export interface TableObjects {
  /** The object as it is now, past every cache; `undefined` if it is gone. */
  readonly read: (object: DatabaseTable, signal: AbortSignal) => Promise<DatabaseTable | undefined>;
  readonly addFinalizer: (object: DatabaseTable, signal: AbortSignal) => Promise<void>;
  /** With kopf's marks, if there are any. */
  readonly removeFinalizer: (object: DatabaseTable, signal: AbortSignal) => Promise<void>;
  /** Takes kopf's finalizer and annotations away: the object is ours. @returns it as it stands then. */
  readonly removeKopfMarks: (object: DatabaseTable, signal: AbortSignal) => Promise<DatabaseTable>;
  /** What was approved is done. @returns the object as it stands then. */
  readonly removeApproval: (object: DatabaseTable, signal: AbortSignal) => Promise<DatabaseTable>;
  /** Writes only what differs, under the object's resourceVersion. @returns the resourceVersion that stands afterwards. */
  readonly writeStatus: (object: DatabaseTable, status: DatabaseTableStatus, signal: AbortSignal) => Promise<string>;
  /** Whether the object that owns another table is being deleted, or gone. */
  readonly isGoing: (owner: Owner, signal: AbortSignal) => Promise<boolean>;
  /** Whether objects go because the kind does. */
  readonly kindEnd: KindEnd;
}

export type RecordEvent = (object: DatabaseTable, event: {
  readonly type: "Normal" | "Warning";
  /** CamelCase. */
  readonly reason: string;
  readonly note: string;
}) => void;

export interface ReconcileContext {
  readonly database: Database;
  /** Of the same database. */
  readonly catalog: LiveCatalog;
  /** `schema.name` of functions that the administrator answers for. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** What specs call the server, see `serverNameOf()`; absent: the operator's default database. */
  readonly server?: string | undefined;
  readonly gate: RegistryGate;
  readonly clusterId: string;
  readonly objects: TableObjects;
  readonly recordEvent: RecordEvent;
  readonly now: () => Date;
  readonly timing: Pick<Timing, "uptime" | "random" | "delay">;
  readonly logger: Logger;
}

/** Who an object is in the registry's eyes. */
export function ownerOf(object: DatabaseTable, clusterId: string): Owner {
  const { namespace, name, uid, generation } = object.metadata;
  return { clusterId, namespace, name, uid, generation };
}
