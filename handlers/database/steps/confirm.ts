import type { Database } from "../../../crds/database/types.ts";
import { KubeError } from "../../../kube/client/client.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { DATABASE_RESOURCE, type DatabaseObjects } from "../objects.ts";

/** This very object past every cache; `undefined` if it is gone, is going, or is another one of its name. */
export async function readLiving(
  objects: Pick<DatabaseObjects, "read">,
  { metadata: { namespace, name, uid } }: Database,
  signal: AbortSignal,
): Promise<Database | undefined> {
  const now = await objects.read<Database & KubeObject>(DATABASE_RESOURCE, { namespace, name }, signal);
  return now?.metadata.uid === uid && now.metadata.deletionTimestamp === undefined ? now : undefined;
}

/**
 * Asks, at the first call, whether this very object is still there and stays; later calls get the same answer.
 *
 * @throws {KubeError} 404 if it is gone, is going, or is another one of its name.
 */
export function confirmation(
  objects: Pick<DatabaseObjects, "read">,
  object: Database,
  signal: AbortSignal,
): () => Promise<void> {
  let answer: Promise<void> | undefined;
  const ask = async () => {
    if (await readLiving(objects, object, signal) !== undefined) return;
    const { namespace, name } = object.metadata;
    throw new KubeError(`Database ${namespace}/${name} is gone: nothing is made for it`, {
      status: 404,
      reason: "NotFound",
    });
  };
  return () => answer ??= ask();
}
