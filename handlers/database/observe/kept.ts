import { isObject } from "../../../crds/decode_fields.ts";
import { parseQuantity } from "../../../crds/database/quantity.ts";
import type { KubeManifest, KubeObject } from "../../../kube/object.ts";
import { covers } from "./covers.ts";

const FIELD_MANAGER = "tablewright";

/**
 * Whether an object is as we would write it, so that nothing needs to be written: it has all that the manifest names, is owned by
 * the Database exactly if the manifest says so, and has no label or annotation left that an earlier manifest of ours named. Pure.
 */
export function isKept(live: KubeObject, manifest: KubeManifest, ownerUid: string): boolean {
  const { ownerReferences, ...metadata } = manifest.metadata;
  const isOwned = (live.metadata.ownerReferences ?? []).some(({ uid }) => uid === ownerUid);
  const mustBeOwned = Array.isArray(ownerReferences) && ownerReferences.length > 0;
  return isOwned === mustBeOwned &&
    covers(live, { ...manifest, metadata }, { isSame, mayAppend: manifest.kind === "Pod" }) &&
    ["labels", "annotations"].every((field) => leftovers(live, field, metadata[field]).length === 0);
}

/** The API server writes quantities in its own way: `1024Mi` becomes `1Gi`. */
function isSame(actual: unknown, wanted: unknown): boolean {
  if (actual === wanted) return true;
  if (typeof actual !== "string" || typeof wanted !== "string") return false;
  const quantity = parseQuantity(wanted);
  return quantity !== undefined && parseQuantity(actual) === quantity;
}

/** Keys that we own by an earlier apply and that the manifest does not name any more. */
function leftovers(live: KubeObject, field: string, wanted: unknown): readonly string[] {
  const keys = isObject(wanted) ? Object.keys(wanted) : [];
  return appliedKeys(live, field).filter((key) => !keys.includes(key));
}

function appliedKeys(live: KubeObject, field: string): readonly string[] {
  const { managedFields } = live.metadata as { readonly managedFields?: unknown };
  if (!Array.isArray(managedFields)) return [];
  return managedFields
    .filter((entry) => isObject(entry) && entry["manager"] === FIELD_MANAGER && entry["operation"] === "Apply")
    .flatMap((entry) => Object.keys(member(member(member(entry, "fieldsV1"), "f:metadata"), `f:${field}`)))
    .filter((key) => key.startsWith("f:"))
    .map((key) => key.slice(2));
}

function member(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : {};
}
