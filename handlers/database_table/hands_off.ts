import { isObject } from "../../crds/decode_fields.ts";
import type { DatabaseTable } from "../../crds/database_table/types.ts";

/**
 * Why the database must not be changed for this object, in the words of the spec; `undefined` if it may. Asked of specs that
 * nobody validated too.
 */
export function handsOffReason({ spec }: Pick<DatabaseTable, "spec">): string | undefined {
  if (isSuspended({ spec })) return "spec.suspend is true";
  return isObject(spec) && spec["mode"] === "Observe" ? "spec.mode is Observe" : undefined;
}

/** Whether the object is not even to be looked at. */
export function isSuspended({ spec }: Pick<DatabaseTable, "spec">): boolean {
  return isObject(spec) && spec["suspend"] === true;
}
