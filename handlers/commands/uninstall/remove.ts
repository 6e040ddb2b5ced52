import { FINALIZER } from "../../../crds/database_table/types.ts";
import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import { removeFinalizer } from "../../../kube/objects/finalizer.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { TABLE_RESOURCE } from "../../database_table/handler.ts";
import type { Installed } from "./installed.ts";

const TRIES = 5;

/**
 * The configurations first: a webhook that nobody answers would refuse the rest.
 *
 * @throws {KubeError} if the API server refuses; what was removed stays removed, and a second call removes the rest.
 */
export async function removeInstalled(
  client: Pick<KubeClient, "delete" | "get" | "patch">,
  { configurations, objects }: Installed,
  signal: AbortSignal,
): Promise<void> {
  for (const { type, name } of configurations) {
    await unlessGone(() => client.delete(type, { name }, { signal }));
  }
  for (const object of objects) await release(client, object, signal);
}

async function release(
  client: Pick<KubeClient, "get" | "patch">,
  listed: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  let object = listed;
  for (let tries = 1;; tries++) {
    try {
      return await removeFinalizer(client, { type: TABLE_RESOURCE, object, finalizer: FINALIZER, signal });
    } catch (error) {
      if (!isKubeError(error, 409) || tries === TRIES) throw error;
    }
    const { namespace, name } = listed.metadata;
    const now = await unlessGone(() => client.get(TABLE_RESOURCE, { namespace, name }, { signal }));
    if (now === undefined) return;
    object = now;
  }
}

async function unlessGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isKubeError(error, 404)) return undefined;
    throw error;
  }
}
