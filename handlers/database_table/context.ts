import type { DatabaseTable, DatabaseTableStatus } from "../../crds/database_table/types.ts";
import type { Logger } from "../../kube/logger.ts";
import type { Database } from "../../postgres/session/client.ts";
import type { Owner } from "../../postgres/registry/registry.ts";
import type { RegistryGate } from "../../postgres/registry/registry_gate.ts";

/** What the reconciler does to Kubernetes, as few verbs as it needs. */
export interface TableObjects {
  /** The object as it is now, past every cache; `undefined` if it is gone. */
  readonly read: (object: DatabaseTable, signal: AbortSignal) => Promise<DatabaseTable | undefined>;
  readonly addFinalizer: (object: DatabaseTable, signal: AbortSignal) => Promise<void>;
  readonly removeFinalizer: (object: DatabaseTable, signal: AbortSignal) => Promise<void>;
  /** Writes only what differs, under the object's resourceVersion. @returns the resourceVersion that stands afterwards. */
  readonly writeStatus: (object: DatabaseTable, status: DatabaseTableStatus, signal: AbortSignal) => Promise<string>;
  /** Whether the object that owns another table is being deleted, or gone. */
  readonly isGoing: (owner: Owner, signal: AbortSignal) => Promise<boolean>;
  /** Whether the kind itself goes away: then every object was marked deleted, and nobody meant the tables. */
  readonly isKindTerminating: (signal: AbortSignal) => Promise<boolean>;
}

export type RecordEvent = (object: DatabaseTable, event: {
  readonly type: "Normal" | "Warning";
  /** CamelCase. */
  readonly reason: string;
  readonly note: string;
}) => void;

export interface ReconcileContext {
  readonly database: Database;
  readonly gate: RegistryGate;
  readonly clusterId: string;
  readonly objects: TableObjects;
  readonly recordEvent: RecordEvent;
  readonly now: () => Date;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Who an object is in the registry's eyes. */
export function ownerOf(object: DatabaseTable, clusterId: string): Owner {
  const { namespace, name, uid, generation } = object.metadata;
  return { clusterId, namespace, name, uid, generation };
}
