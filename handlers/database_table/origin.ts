import type { ObjectOrigin } from "../../crds/database_table/default.ts";

const KOPF_FINALIZER = "kopf.zalando.org/KopfFinalizerMarker";
const KOPF_ANNOTATIONS = "kopf.zalando.org/";

/** Whether another operator, written with kopf, has had the object before: then its table is there already. */
export function originOf({ metadata }: {
  readonly metadata: {
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
}): ObjectOrigin {
  const { finalizers = [], annotations = {} } = metadata;
  const isMarked = finalizers.includes(KOPF_FINALIZER) ||
    Object.keys(annotations).some((name) => name.startsWith(KOPF_ANNOTATIONS));
  return isMarked ? "Kopf" : "Plain";
}
