import { isKubeError, type KubeClient } from "../../kube/client/client.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import { mayRead, NAMESPACE } from "../namespace.ts";

export interface NamespacesContext {
  readonly client: Pick<KubeClient, "get" | "create" | "request">;
  /** `create` in a cluster of our own; elsewhere whose objects they are is not ours to decide. */
  readonly whenMissing: "create" | "warn";
  readonly logger: Logger;
}

/**
 * Looks whether the namespaces that are to be watched exist. A missing one is created or named in the log at once; it is watched
 * all the same, so that objects in it are served once it is there.
 *
 * @returns those that exist now, as far as we may know.
 * @throws {KubeError} if the API server cannot be asked.
 */
export async function meetNamespaces(
  context: NamespacesContext,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const existing: string[] = [];
  for (const name of names) if (await meetNamespace(context, name, signal)) existing.push(name);
  return existing;
}

async function meetNamespace(context: NamespacesContext, name: string, signal: AbortSignal): Promise<boolean> {
  const { client, whenMissing, logger } = context;
  if (await exists(client, name, signal)) return true;
  if (whenMissing === "warn") {
    logger.warn("a namespace that is to be watched does not exist; it is served once it does", { namespace: name });
    return false;
  }
  await createNamespace(client, name, signal);
  logger.info("namespace created", { namespace: name });
  return true;
}

async function exists(
  client: Pick<KubeClient, "get" | "request">,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  // Whoever may not look cannot know, and may well be allowed to work in it.
  if (!(await mayRead(client, name, { signal }))) return true;
  try {
    await client.get(NAMESPACE, { name }, { signal });
    return true;
  } catch (error) {
    if (isKubeError(error, 404)) return false;
    throw error;
  }
}

async function createNamespace(client: Pick<KubeClient, "create">, name: string, signal: AbortSignal): Promise<void> {
  try {
    await client.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, { signal });
  } catch (error) {
    if (!isKubeError(error, 409)) throw error;
  }
}
