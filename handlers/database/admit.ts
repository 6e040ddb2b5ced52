import { isObject } from "../../crds/decode_fields.ts";
import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { KIND } from "../../crds/database/types.ts";
import {
  databaseWarnings,
  validateDatabaseChange,
  validateDatabaseName,
  validateDatabaseUpdate,
} from "../../crds/database/validate.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import { KubeError } from "../../kube/client/client.ts";
import type { AdmissionRequest, ReviewedObject, Verdict } from "../admission/admission_review.ts";
import type { DatabaseObjects } from "./objects.ts";
import { observeChildren } from "./observe/observe.ts";
import { childrenInQuestion, nameFaults } from "./policy.ts";

/** What admission works with. */
export interface DatabaseAdmission {
  readonly objects: Pick<DatabaseObjects, "read">;
  readonly isNamespaceTerminating: (namespace: string, signal: AbortSignal) => Promise<boolean>;
  /** Objects whose tables are in a Database and that are not being deleted. */
  readonly tablesIn: (
    database: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
}

/** Judges one review of a Database. Writes nothing, so that it is safe under dry-run. */
export async function admitDatabase(
  request: AdmissionRequest,
  admission: DatabaseAdmission,
  signal: AbortSignal,
): Promise<Verdict> {
  if (request.operation === "DELETE") return await admitDelete(request, admission, signal);
  const { object, oldObject } = request;
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return { kind: "allowed", warnings: [] };
  const { errors, warnings } = judgeDatabase(object, oldObject, request.name);
  const taken = oldObject === undefined ? await takenNames(request, admission, signal) : { errors: [], warnings: [] };
  const all = [...errors, ...taken.errors];
  return all.length > 0
    ? { kind: "denied", errors: all, warnings: taken.warnings }
    : { kind: "allowed", warnings: [...warnings, ...taken.warnings] };
}

interface Judgement {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

/** What the object says, and how it changed. A fault that an update leaves as it was is allowed, with a warning. Pure. */
export function judgeDatabase(object: ReviewedObject, oldObject: ReviewedObject | undefined, name: string): Judgement {
  const next = decodeDatabaseSpec(object.spec);
  const old = oldObject === undefined ? undefined : decodeDatabaseSpec(oldObject.spec);
  const before = (old === undefined || old.ok ? [] : old.errors).map(formatFieldError);
  const faults = next.ok ? [] : next.errors;
  const standing = faults.filter((error) => before.includes(formatFieldError(error)));
  const changed = oldObject === undefined
    // With generateName the name comes later; the loop looks at it.
    ? (name === "" ? [] : validateDatabaseName(name))
    : validateDatabaseUpdate(object.spec, oldObject.spec);
  const lossy = next.ok && old?.ok === true ? validateDatabaseChange(next.value, old.value) : [];
  return {
    errors: [...faults.filter((error) => !standing.includes(error)), ...changed, ...lossy],
    warnings: [
      ...(next.ok ? databaseWarnings(next.value) : []),
      ...standing.map((error) => `still refused: ${formatFieldError(error)}`),
    ],
  };
}

/**
 * `Forbid` holds here and in a static policy, and no table loses its server by accident; a namespace that goes away is never blocked.
 */
async function admitDelete(
  { oldObject, namespace, name }: AdmissionRequest,
  admission: DatabaseAdmission,
  signal: AbortSignal,
): Promise<Verdict> {
  const spec = oldObject?.spec;
  const isForbidden = isObject(spec) && spec["deletionPolicy"] === "Forbid";
  const tables = isObject(spec) && spec["type"] === "postgres"
    ? await admission.tablesIn({ namespace, name }, signal)
    : [];
  const errors = [
    ...(isForbidden ? [forbidden("spec.deletionPolicy", FORBID)] : []),
    ...(tables.length > 0 ? [forbidden("metadata.name", usedBy(tables))] : []),
  ];
  if (errors.length === 0 || await admission.isNamespaceTerminating(namespace, signal)) {
    return { kind: "allowed", warnings: [] };
  }
  return { kind: "denied", errors, warnings: [] };
}

const FORBID =
  "is Forbid: set it to Delete (removes volume and Secret) or Retain (keeps them) before you delete the object";

function usedBy(tables: readonly string[]): string {
  return `holds the tables of these DatabaseTables: ${tables.join(", ")}; delete them first`;
}

/** Names that somebody else has; the loop asks again, so what cannot be asked now is a warning. */
async function takenNames(
  { namespace, name, object }: AdmissionRequest,
  { objects }: DatabaseAdmission,
  signal: AbortSignal,
): Promise<Judgement> {
  const decoded = decodeDatabaseSpec(object?.spec);
  if (name === "" || !decoded.ok) return { errors: [], warnings: [] };
  const spec = decoded.value;
  const owner = { kind: KIND, name, uid: "" };
  try {
    const children = childrenInQuestion(await observeChildren(objects, { namespace, name }, signal), spec, owner);
    return { errors: nameFaults(children, owner, spec.auth.secretName !== undefined), warnings: [] };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { errors: [], warnings: ["whether the names are free cannot be asked now: that is checked again later"] };
  }
}
