import type { ObjectOrigin } from "../../crds/database_table/default.ts";
import { hasKopfMarks } from "../kopf_takeover.ts";

/** Whether another operator, written with kopf, has had the object before: then its table is there already. */
export function originOf({ metadata }: { readonly metadata: Parameters<typeof hasKopfMarks>[0] }): ObjectOrigin {
  return hasKopfMarks(metadata) ? "Kopf" : "Plain";
}
