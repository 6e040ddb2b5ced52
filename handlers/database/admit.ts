import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { GROUP, KIND, PLURAL, VERSION } from "../../crds/database/types.ts";
import { validateDatabaseUpdate } from "../../crds/database/validate.ts";
import type { FieldError } from "../../crds/field_error.ts";
import type { AdmissionRequest, Verdict } from "../admission_review.ts";
import type { KindHandler } from "../registry.ts";

/** Database: admission judges its type; nothing is made for it yet. */
export function databaseHandler(): KindHandler {
  return {
    resource: { group: GROUP, version: VERSION, plural: PLURAL, kind: KIND, namespaced: true },
    admission: { mutateConditions: [], validateConditions: [], judgesDelete: false },
    // Every field that users may leave out is left out on purpose: only `type` exists, and it is never guessed.
    withDefaults: (object) => object,
    validate: (request) => Promise.resolve(admitDatabase(request)),
  };
}

/** Denies a missing, unknown or changed type. A fault that an update leaves as it was is allowed. */
export function admitDatabase({ object, oldObject }: AdmissionRequest): Verdict {
  const faults = faultsOf(object?.spec);
  const known = oldObject === undefined ? [] : faultsOf(oldObject.spec);
  const fresh = faults.filter((error) =>
    !known.some((before) => before.path === error.path && before.detail === error.detail)
  );
  const changed = oldObject === undefined ? [] : validateDatabaseUpdate(object?.spec, oldObject.spec);
  const errors = [...fresh, ...changed];
  return errors.length === 0 ? { kind: "allowed", warnings: [] } : { kind: "denied", errors, warnings: [] };
}

function faultsOf(spec: unknown): readonly FieldError[] {
  const decoded = decodeDatabaseSpec(spec);
  return decoded.ok ? [] : decoded.errors;
}
