import { isObject } from "../../crds/decode_fields.ts";
import { policiesToWrite } from "../../crds/database_table/default.ts";
import {
  APPROVE_ANNOTATION,
  type DatabaseTable,
  FINALIZER,
  GROUP,
  KIND,
  PLURAL,
  TAKE_OVER_ANNOTATION,
  VERSION,
} from "../../crds/database_table/types.ts";
import type { ResourceType } from "../../kube/object.ts";
import { type MatchCondition, SPEC_CHANGED } from "../../kube/webhook/webhook_configuration.ts";
import type { ReviewedObject } from "../admission/admission_review.ts";
import type { KindHandler } from "../registry.ts";
import type { TableDispatch } from "./server/dispatch.ts";
import { originOf } from "./spec/origin.ts";
import type { ServedDatabases } from "./server/served_databases.ts";

export const TABLE_RESOURCE: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};

const MUTATE_CONDITIONS: readonly MatchCondition[] = [{
  name: "work-to-do",
  // `kubectl replace` drops finalizers although the spec stays.
  expression: `${SPEC_CHANGED} || !has(object.metadata.finalizers) || !('${FINALIZER}' in object.metadata.finalizers)`,
}];

const JUDGED_ANNOTATIONS = [APPROVE_ANNOTATION, TAKE_OVER_ANNOTATION];

const VALIDATE_CONDITIONS: readonly MatchCondition[] = [{
  name: "spec-or-approval",
  expression: [SPEC_CHANGED, ...JUDGED_ANNOTATIONS.map(annotationChanged)].join(" || "),
}];

function annotationChanged(name: string): string {
  const valueOf = (object: string) => `${object}.metadata.?annotations[?'${name}'].orValue('')`;
  return `${valueOf("object")} != ${valueOf("oldObject")}`;
}

/** DatabaseTable: a PostgreSQL table, judged at admission and made by the loop. */
export function databaseTableHandler(dispatch: TableDispatch, databases: Pick<ServedDatabases, "tend">): KindHandler {
  return {
    resource: TABLE_RESOURCE,
    admission: { mutateConditions: MUTATE_CONDITIONS, validateConditions: VALIDATE_CONDITIONS, judgesDelete: true },
    withDefaults: withTableDefaults,
    validate: (request, signal) => dispatch.validate(request, signal),
    controller: {
      reconcile: (object, signal, pause) => dispatch.reconcile(object as DatabaseTable, signal, pause),
      see: (object) => dispatch.see(object as DatabaseTable),
      forget: (key) => dispatch.forget(key),
      tend: (objects, signal) => databases.tend(objects, signal),
    },
  };
}

/**
 * What the mutating webhook adds where it is absent: the finalizer, so that a healthy create costs no write of ours, and
 * the policies, so that everybody can read what will happen to a table that exists, and what a deletion will do.
 *
 * @param oldObject Of an update: only a marker of kopf that was there before it counts.
 */
export function withTableDefaults(object: ReviewedObject, oldObject?: ReviewedObject): ReviewedObject {
  const finalizers = object.metadata.finalizers ?? [];
  const guarded = finalizers.includes(FINALIZER)
    ? object
    : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, FINALIZER] } };
  const { spec } = object;
  if (!isObject(spec)) return guarded;
  const policies = policiesToWrite(spec, oldObject?.spec, originOf(oldObject ?? object));
  return { ...guarded, spec: { ...spec, ...policies } };
}
