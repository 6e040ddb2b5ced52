import { decodeDatabaseSpec } from "../../crds/database/decode.ts";
import { GROUP, KIND, PLURAL, VERSION } from "../../crds/database/types.ts";
import { validateDatabaseUpdate } from "../../crds/database/validate.ts";
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
export function admitDatabase(request: AdmissionRequest): Verdict {
  const spec = decodeDatabaseSpec(request.object?.spec);
  const old = request.oldObject === undefined ? undefined : decodeDatabaseSpec(request.oldObject.spec);
  if (!spec.ok) {
    const known = old === undefined || old.ok ? [] : old.errors;
    const fresh = spec.errors.filter((error) =>
      !known.some((before) => before.path === error.path && before.detail === error.detail)
    );
    return fresh.length === 0 ? { kind: "allowed", warnings: [] } : { kind: "denied", errors: fresh, warnings: [] };
  }
  const errors = old?.ok ? validateDatabaseUpdate(spec.value, old.value) : [];
  return errors.length === 0 ? { kind: "allowed", warnings: [] } : { kind: "denied", errors, warnings: [] };
}
