import type { KubeClient } from "../kube/client.ts";
import type { KubeObject, ResourceType } from "../kube/object.ts";

export const NAMESPACE: ResourceType = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
};

/** `Active` or `Terminating`. */
export async function readNamespacePhase(
  client: Pick<KubeClient, "get">,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const namespace = await client.get<KubeObject<unknown, { readonly phase?: string }>>(NAMESPACE, { name }, { signal });
  return namespace.status?.phase;
}

/** A server that takes the connection and says nothing must not hold a start for longer. */
const CLUSTER_ID_TIMEOUT_MS = 5_000;

/** The uid of `kube-system`: it names the cluster in registries, since two clusters may share a database. */
export async function readClusterId(client: Pick<KubeClient, "get">, signal: AbortSignal): Promise<string> {
  const options = { signal, timeoutMs: CLUSTER_ID_TIMEOUT_MS };
  return (await client.get(NAMESPACE, { name: "kube-system" }, options)).metadata.uid;
}
