import { isKubeError, type KubeClient } from "../client/client.ts";
import type { KubeObject, ResourceType } from "../object.ts";

/**
 * Where an object stands between its creation and its end, with regard to one finalizer:
 *
 * |                     | not being deleted | being deleted |
 * |---------------------|-------------------|---------------|
 * | without finalizer   | `unprotected`     | `released`    |
 * | with the finalizer  | `protected`       | `cleanup`     |
 */
export type FinalizerState = "unprotected" | "protected" | "cleanup" | "released";

type FinalizerClient = Pick<KubeClient, "patch">;

interface FinalizerRequest<T extends KubeObject> {
  readonly type: ResourceType;
  readonly object: T;
  readonly finalizer: string;
  readonly signal: AbortSignal;
}

/**
 * Names the one of the four cases that holds.
 *
 * # Expected flow
 * 1. `unprotected`: call {@linkcode addFinalizer} before anything is made that must be cleaned up. (Usually the webhook did it.)
 * 2. `protected`: make the world match the object.
 * 3. `cleanup`: undo everything; then, and only if that succeeded, call {@linkcode removeFinalizer}.
 * 4. `released`: do nothing. The object waits for others, or is gone in a moment.
 *
 * # Guarantees
 * - What is made under `protected` is seen under `cleanup` before the object vanishes, however often the process dies in between.
 * - Another writer's change between reading and writing is never lost: it answers 409, and the object is read again.
 *
 * # Assumptions
 * - Cleanup may run several times, and after it has succeeded once.
 *
 * # Caveats
 * - A user can remove a finalizer by hand. Then cleanup does not run.
 * - An object that is being deleted takes no new finalizer, so what was never protected cannot be protected any more.
 */
export function finalizerState(object: Pick<KubeObject, "metadata">, finalizer: string): FinalizerState {
  const present = object.metadata.finalizers?.includes(finalizer) === true;
  const deleting = object.metadata.deletionTimestamp !== undefined;
  if (deleting) return present ? "cleanup" : "released";
  return present ? "protected" : "unprotected";
}

/**
 * Adds a finalizer and answers the object with it; without a request if it is there.
 *
 * @throws {TypeError} if the object is being deleted: the API server would refuse.
 * @throws {KubeError} 409 if the object changed since it was read.
 */
export async function addFinalizer<T extends KubeObject>(
  client: FinalizerClient,
  request: FinalizerRequest<T>,
): Promise<T> {
  const { object, finalizer } = request;
  switch (finalizerState(object, finalizer)) {
    case "protected":
    case "cleanup":
      return object;
    case "released":
      throw new TypeError(`Cannot add the finalizer ${finalizer}: "${object.metadata.name}" is being deleted`);
    case "unprotected":
      return await writeFinalizers(client, request, [...object.metadata.finalizers ?? [], finalizer]);
  }
}

/**
 * Removes a finalizer. An object that is gone, or has no such finalizer, is success.
 *
 * @throws {KubeError} 409 if the object changed since it was read.
 */
export async function removeFinalizer<T extends KubeObject>(
  client: FinalizerClient,
  request: FinalizerRequest<T>,
): Promise<void> {
  const finalizers = request.object.metadata.finalizers ?? [];
  if (!finalizers.includes(request.finalizer)) return;
  try {
    await writeFinalizers(client, request, finalizers.filter((each) => each !== request.finalizer));
  } catch (error) {
    if (!isKubeError(error, 404)) throw error;
  }
}

/**
 * A merge patch replaces the whole list, which only the resource version makes safe. A JSON patch with `test` would be as safe, but
 * answers 422 when it fails, which cannot be told from an invalid object; this answers 409.
 */
async function writeFinalizers<T extends KubeObject>(
  client: FinalizerClient,
  { type, object, signal }: FinalizerRequest<T>,
  finalizers: readonly string[],
): Promise<T> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const patch = { kind: "merge", value: { metadata: { uid, resourceVersion, finalizers } } } as const;
  return (await client.patch<T>(type, { namespace, name }, { patch, signal })).object;
}
