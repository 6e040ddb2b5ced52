import { isObject } from "../../crds/decode_fields.ts";
import { databaseDefaults } from "../../crds/database/default.ts";
import type { Database } from "../../crds/database/types.ts";
import { type MatchCondition, SPEC_CHANGED } from "../../kube/webhook/webhook_configuration.ts";
import type { ReviewedObject } from "../admission/admission_review.ts";
import type { KindHandler } from "../registry.ts";
import { admitDatabase, type DatabaseAdmission } from "./admit.ts";
import { POD, SERVICE, VOLUME_CLAIM } from "./observe/children.ts";
import type { DatabaseContext } from "./context.ts";
import { OWNED_SELECTOR, ownerKeyOf } from "./observe/labels.ts";
import { DATABASE_RESOURCE } from "./objects.ts";
import { DatabaseReconciler } from "./reconcile.ts";
import { isReady } from "./status.ts";

const CONDITIONS: readonly MatchCondition[] = [{ name: "spec-changed", expression: SPEC_CHANGED }];

/**
 * Database: a server, judged at admission and made by the loop.
 *
 * @param serves Told of each that is Ready, whenever it changes.
 */
export function databaseHandler(
  admission: DatabaseAdmission,
  reconciling: DatabaseContext,
  serves: (database: Database["metadata"]) => void,
): KindHandler {
  const reconciler = new DatabaseReconciler(reconciling);
  return {
    resource: DATABASE_RESOURCE,
    admission: { mutateConditions: CONDITIONS, validateConditions: CONDITIONS, judgesDelete: true },
    withDefaults: withDatabaseDefaults,
    validate: (request, signal) => admitDatabase(request, admission, signal),
    controller: {
      reconcile: (object, signal) => reconciler.reconcile(object as Database, signal),
      see: (object) => {
        if (isReady((object as Database).status)) serves(object.metadata as Database["metadata"]);
      },
      forget: (key) => reconciler.forget(key),
      owns: [POD, SERVICE, VOLUME_CLAIM].map((resource) => ({
        resource,
        labelSelector: OWNED_SELECTOR,
        ownerKey: ownerKeyOf,
      })),
    },
  };
}

/** What the mutating webhook adds where it is absent: resources, so that everybody can read what the server gets. */
export function withDatabaseDefaults(object: ReviewedObject): ReviewedObject {
  const { spec } = object;
  return isObject(spec) ? { ...object, spec: { ...spec, ...databaseDefaults(spec) } } : object;
}
