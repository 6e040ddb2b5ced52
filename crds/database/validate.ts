import { type FieldError, forbidden } from "../field_error.ts";
import type { DatabaseSpec } from "./types.ts";

/** The rules on a change from one spec to another. */
export function validateDatabaseUpdate(spec: DatabaseSpec, old: DatabaseSpec): readonly FieldError[] {
  if (spec.type === old.type) return [];
  return [forbidden("spec.type", `is immutable: it is "${old.type}"; create another Database to use "${spec.type}"`)];
}
