import { isKubeError, type KubeClient } from "../kube/client/client.ts";
import type { KubeMetadata, KubeObject, ResourceType } from "../kube/object.ts";

/** Held by objects of an operator that was written with kopf. */
export const KOPF_FINALIZER = "kopf.zalando.org/KopfFinalizerMarker";
const KOPF_ANNOTATIONS = "kopf.zalando.org/";
/** Written together with the removal of kopf's marks: if they come back, another operator is running. */
export const TAKEN_OVER_ANNOTATION = "tablewright.dev/taken-over-from";

type Marked = Pick<KubeMetadata, "finalizers" | "annotations">;

/**
 * What kopf's marks on an object mean.
 *
 * - `None`: there are none.
 * - `Former`: another operator had the object before us; it is ours once its world is, and then its marks go.
 * - `Active`: the marks came (back) to an object that is ours: another operator is running. Nothing may be done to it.
 */
export type KopfState = "None" | "Former" | "Active";

/** Whether kopf's finalizer or an annotation of kopf is on the object. */
export function hasKopfMarks({ finalizers = [], annotations = {} }: Marked): boolean {
  return finalizers.includes(KOPF_FINALIZER) || kopfAnnotations({ annotations }).length > 0;
}

/**
 * Reads the marks of an object of any kind.
 *
 * @param isOurs Whether its status says that we have made its world before.
 */
export function kopfState(metadata: Marked, isOurs: boolean): KopfState {
  if (!hasKopfMarks(metadata)) return "None";
  return isOurs || metadata.annotations?.[TAKEN_OVER_ANNOTATION] !== undefined ? "Active" : "Former";
}

/** For the condition `Stalled` of an object whose {@linkcode kopfState} is `Active`. */
export const OTHER_OPERATOR_ACTIVE = {
  reason: "OtherOperatorActive",
  message: "another operator, made with kopf, works on this object too: nothing is changed until it is stopped and " +
    `its finalizer ${KOPF_FINALIZER} and its annotations ${KOPF_ANNOTATIONS}* are removed from the object`,
} as const;

/** For the event that tells it when {@linkcode removeKopfMarks} is done. */
export const TAKEN_OVER = {
  type: "Normal",
  reason: "TakenOver",
  note: "the object was another operator's, made with kopf: its finalizer and annotations are removed",
} as const;

/**
 * Removes kopf's finalizer and annotations in one write, which also says that the object was taken over. (`status.kopf`
 * goes with the next write of the whole status.) `spec` has fields that followed from the marks, and must stay as they are
 * without them.
 *
 * @returns the object as it stands then; `undefined` if it is gone, as one is that kopf's finalizer alone has held.
 * @throws {KubeError} 409 if the object changed since it was read.
 */
export async function removeKopfMarks<T extends KubeObject>(
  client: Pick<KubeClient, "patch">,
  { type, object, spec = {}, signal }: {
    readonly type: ResourceType;
    readonly object: T;
    readonly spec?: Readonly<Record<string, unknown>>;
    readonly signal: AbortSignal;
  },
): Promise<T | undefined> {
  const { namespace, name, uid, resourceVersion, finalizers = [] } = object.metadata;
  const annotations = Object.fromEntries([
    ...kopfAnnotations(object.metadata).map((key) => [key, null] as const),
    [TAKEN_OVER_ANNOTATION, "kopf.zalando.org"] as const,
  ]);
  const metadata = {
    uid,
    resourceVersion,
    annotations,
    finalizers: finalizers.filter((each) => each !== KOPF_FINALIZER),
  };
  const reference = namespace === undefined ? { name } : { namespace, name };
  const patch = { kind: "merge", value: Object.keys(spec).length === 0 ? { metadata } : { metadata, spec } } as const;
  try {
    return (await client.patch<T>(type, reference, { patch, signal })).object;
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}

function kopfAnnotations({ annotations = {} }: Marked): readonly string[] {
  return Object.keys(annotations).filter((name) => name.startsWith(KOPF_ANNOTATIONS));
}
