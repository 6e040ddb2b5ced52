import type { KubeClient } from "../client/client.ts";
import type { KubeObject, ResourceType } from "../object.ts";

/**
 * Removes an annotation.
 *
 * @returns the object as it stands then.
 * @throws {KubeError} 409 if the object changed since it was read, 404 if it is gone.
 */
export async function removeAnnotation<T extends KubeObject>(
  client: Pick<KubeClient, "patch">,
  { type, object, annotation, signal }: {
    readonly type: ResourceType;
    readonly object: T;
    readonly annotation: string;
    readonly signal: AbortSignal;
  },
): Promise<T> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const reference = namespace === undefined ? { name } : { namespace, name };
  const value = { metadata: { uid, resourceVersion, annotations: { [annotation]: null } } };
  return (await client.patch<T>(type, reference, { patch: { kind: "merge", value }, signal })).object;
}
