import { isAllowed } from "../kube/client/access_review.ts";
import type { CallOptions, KubeClient } from "../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../kube/object.ts";

export const NAMESPACE: ResourceType = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
};

/** `Active` or `Terminating`; `undefined` if we may not look. */
export async function readNamespacePhase(
  client: Pick<KubeClient, "get" | "request">,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!(await mayRead(client, name, { signal }))) return undefined;
  const namespace = await client.get<KubeObject<unknown, { readonly phase?: string }>>(NAMESPACE, { name }, { signal });
  return namespace.status?.phase;
}

/** Whether we may read that namespace: a Role in it can say so, as well as a ClusterRole. */
export async function mayRead(
  client: Pick<KubeClient, "request">,
  name: string,
  options: CallOptions,
): Promise<boolean> {
  return await isAllowed(client, { verb: "get", type: NAMESPACE, namespace: name, name }, options);
}

/** A server that takes the connection and says nothing must not hold a start for longer. */
const CLUSTER_ID_TIMEOUT_MS = 5_000;

/**
 * What names the cluster in registries, since two clusters may share a database: the uid of `kube-system`. Who may not read that one
 * uses the first of the watched namespaces, in the order of the alphabet, that may be read.
 *
 * @returns `undefined` if none of them may be read.
 */
export async function readClusterId(
  client: Pick<KubeClient, "get" | "request">,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const options = { signal, timeoutMs: CLUSTER_ID_TIMEOUT_MS };
  for (const name of ["kube-system", ...namespaces.toSorted()]) {
    if (!(await mayRead(client, name, options))) continue;
    return (await client.get(NAMESPACE, { name }, options)).metadata.uid;
  }
  return undefined;
}
