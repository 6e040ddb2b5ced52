import type { ObjectMeta } from "../meta.ts";

export const GROUP = "zalando.org";
export const VERSION = "v1";
export const KIND = "Database";
export const PLURAL = "databases";

export const DATABASE_TYPES = ["mongo", "mysql", "postgres"] as const;
export type DatabaseType = (typeof DATABASE_TYPES)[number];

export interface DatabaseSpec {
  /** Which server; immutable. */
  readonly type: DatabaseType;
}

/** An object as the API server stores it: the spec is not yet decoded. */
export interface Database {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
}
