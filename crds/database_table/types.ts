import type { Condition, ObjectMeta } from "../meta.ts";

export const GROUP = "kopf.demo";
export const VERSION = "v1";
export const KIND = "DatabaseTable";
export const PLURAL = "databasetables";
/** Held by every object whose table the operator may have to drop. */
export const FINALIZER = "kopf.demo/tablewright";

export const DELETION_POLICIES = ["Delete", "Retain", "Forbid"] as const;
export type DeletionPolicy = (typeof DELETION_POLICIES)[number];

/** PostgreSQL's own limit on the columns of a table. */
export const MAX_COLUMNS = 1600;

/** What may stand as a `default`: a literal that YAML and JSON carry without loss. */
export type LiteralDefault = string | boolean | number | null;

/** One column as the user wrote it; names and types are still text. */
export interface ColumnSpec {
  /** The property's key: the column's name, unfolded. */
  readonly key: string;
  /** `spec.columns[2].EMAIL`. */
  readonly path: string;
  /** Where a fault of the type belongs: the column's own path in the short form, `….type` in the long form. */
  readonly typePath: string;
  readonly type: string;
  readonly notNull: boolean;
  /** `undefined` = no default was asked for. */
  readonly default?: LiteralDefault;
}

export interface DatabaseTableSpec {
  readonly tableName: string;
  readonly schema?: string;
  readonly columns: readonly ColumnSpec[];
  /** One text (`"A, B"`) or a list of names, as written. */
  readonly primaryKey: string | readonly string[];
  readonly deletionPolicy?: DeletionPolicy;
}

/** A spec in which every default is explicit. */
export type DefaultedTableSpec = DatabaseTableSpec & Required<Pick<DatabaseTableSpec, "schema" | "deletionPolicy">>;

export interface DatabaseTableStatus {
  readonly observedGeneration?: number;
  readonly message?: string;
  readonly observed?: { readonly oid: number; readonly rowEstimate?: number; readonly totalBytes: number };
  readonly conditions?: readonly Condition[];
}

/** An object as the API server stores it: the spec is not yet decoded. */
export interface DatabaseTable {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: DatabaseTableStatus;
}
