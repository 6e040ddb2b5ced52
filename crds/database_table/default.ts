import type { DatabaseTableSpec, DefaultedTableSpec } from "./types.ts";

/** Fills in what a user may leave out; never changes what a user wrote. */
export function defaultTableSpec(spec: DatabaseTableSpec): DefaultedTableSpec {
  return { ...spec, schema: spec.schema ?? "public", deletionPolicy: spec.deletionPolicy ?? "Delete" };
}
