import type { AllowedTables } from "./allowed_tables.ts";
import type { Condition, ObjectMeta } from "../meta.ts";

export const GROUP = "zalando.org";
export const VERSION = "v1";
export const KIND = "Database";
export const PLURAL = "databases";

/** The revision of our schema (`tablewright.dev/schema-revision`): with a lower one served, fields of a spec may be pruned. */
export const SCHEMA_REVISION = 3;

export const DATABASE_TYPES = ["mongo", "mysql", "postgres"] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];

export const DELETION_POLICIES = ["Delete", "Retain", "Forbid"] as const;
export type DeletionPolicy = (typeof DELETION_POLICIES)[number];

export const SERVICE_TYPES = ["NodePort", "ClusterIP", "LoadBalancer"] as const;

/** A JSON object of a core/v1 shape, which the API server checks when the Pod is made. */
export type CoreShape = Readonly<Record<string, unknown>>;

export interface DatabaseSpec {
  /** Which server; immutable. */
  readonly type: DatabaseType;
  readonly version?: string;
  /** Instead of the official image of the version. */
  readonly image?: string;
  readonly imagePullSecrets: readonly { readonly name: string }[];
  readonly auth: AuthSpec;
  /** Absent: the data lives and dies with the Pod. */
  readonly storage?: StorageSpec;
  readonly service: ServiceSpec;
  readonly pod: PodSettings;
  readonly upgradePolicy: UpgradePolicy;
  /** Governs the volume claim and the Secret together; absent keeps both. */
  readonly deletionPolicy?: DeletionPolicy;
  readonly networkPolicy: boolean;
  /** Who may point a DatabaseTable here; of postgres only. */
  readonly allowedTables: AllowedTables;
  readonly suspend: boolean;
}

export interface AuthSpec {
  readonly database?: string;
  readonly username?: string;
  /** A Secret of the user with the key `password`; absent: one is made. */
  readonly secretName?: string;
  /** RFC 3339: a time that was not seen before makes a new password. */
  readonly rotateRequestedAt?: string;
}

export interface StorageSpec {
  /** A Kubernetes quantity. */
  readonly size: string;
  readonly storageClassName?: string;
}

export interface ServiceSpec {
  readonly type: (typeof SERVICE_TYPES)[number];
  /** Absent: the port of the server. */
  readonly port?: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What users decide about the Pod. */
export interface PodSettings {
  readonly resources?: CoreShape;
  readonly podSecurityContext?: CoreShape;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly CoreShape[];
  readonly affinity?: CoreShape;
  readonly priorityClassName?: string;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
}

export interface UpgradePolicy {
  /** `Manual`: whoever sets it moves the data; `Forbid` refuses another major version and every downgrade. */
  readonly major: "Forbid" | "Manual";
  /** `Now` replaces a Pod that another operator made, and with it the data in its container. */
  readonly replace: "Never" | "Now";
}

export interface DatabaseStatus {
  readonly observedGeneration: number;
  readonly message: string;
  readonly conditions: readonly Condition[];
  readonly endpoint?: { readonly host: string; readonly port: number; readonly nodePort?: number };
  readonly version?: string;
  /** Service Binding: the Secret with all that a client needs. */
  readonly binding?: { readonly name: string };
}

/** An object as the API server stores it: the spec is not yet decoded. */
export interface Database {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: DatabaseStatus;
}
