import { FINALIZER } from "../../../crds/database_table/types.ts";
import { isKubeError, type KubeClient } from "../../../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../../../kube/object.ts";
import { WEBHOOK_CONFIGURATION_TYPES } from "../../../kube/webhook/webhook_configuration.ts";
import { TABLE_RESOURCE } from "../../database_table/handler.ts";

/** What of the operator is in the cluster and stops others when it is gone. */
export interface Installed {
  readonly configurations: readonly { readonly type: ResourceType; readonly name: string }[];
  /** DatabaseTables with our finalizer. */
  readonly objects: readonly KubeObject[];
}

const PAGE = 500;

/** @throws {KubeError} if it may not be read. */
export async function findInstalled(
  client: Pick<KubeClient, "get" | "list">,
  instance: string,
  signal: AbortSignal,
): Promise<Installed> {
  const configurations: Installed["configurations"][number][] = [];
  for (const type of WEBHOOK_CONFIGURATION_TYPES) {
    if (await exists(client, type, { name: instance, signal })) configurations.push({ type, name: instance });
  }
  const objects = await listObjects(client, signal);
  return { configurations, objects: objects.filter(({ metadata }) => metadata.finalizers?.includes(FINALIZER)) };
}

/** Whether there is nothing to remove. */
export function isEmpty({ configurations, objects }: Installed): boolean {
  return configurations.length === 0 && objects.length === 0;
}

async function exists(
  client: Pick<KubeClient, "get">,
  type: ResourceType,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await client.get(type, { name }, { signal });
    return true;
  } catch (error) {
    if (isKubeError(error, 404)) return false;
    throw error;
  }
}

/** None if the kind is not installed any more. */
async function listObjects(client: Pick<KubeClient, "list">, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const objects: KubeObject[] = [];
  let next: string | undefined;
  try {
    do {
      const page = await client.list(TABLE_RESOURCE, { limit: PAGE, continue: next, signal });
      objects.push(...page.items);
      next = page.continue;
    } while (next !== undefined);
  } catch (error) {
    if (!isKubeError(error, 404)) throw error;
  }
  return objects;
}
