import type { ObjectOrigin } from "../../../crds/database_table/default.ts";
import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import { hasKopfMarks, type KopfState, kopfState } from "../../kopf_takeover.ts";

/** Whether another operator, written with kopf, has had the object before: then its table is there already. */
export function originOf({ metadata }: { readonly metadata: Parameters<typeof hasKopfMarks>[0] }): ObjectOrigin {
  return hasKopfMarks(metadata) ? "Kopf" : "Plain";
}

/** Whether that operator is still running: the marks came (back) to an object whose table we have made. */
export function kopfStateOf({ metadata, status }: DatabaseTable): KopfState {
  return kopfState(metadata, status?.observed?.oid !== undefined);
}
