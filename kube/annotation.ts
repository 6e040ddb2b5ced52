import type { KubeClient } from "./client.ts";
import type { KubeObject, ResourceType } from "./object.ts";

/**
 * Removes an annotation.
 *
 * @throws {KubeError} 409 if the object changed since it was read, 404 if it is gone.
 */
export async function removeAnnotation(
  client: Pick<KubeClient, "patch">,
  { type, object, annotation, signal }: {
    readonly type: ResourceType;
    readonly object: KubeObject;
    readonly annotation: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const reference = namespace === undefined ? { name } : { namespace, name };
  const value = { metadata: { uid, resourceVersion, annotations: { [annotation]: null } } };
  await client.patch(type, reference, { patch: { kind: "merge", value }, signal });
}
