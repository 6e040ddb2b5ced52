import { delay } from "@std/async/delay";
import type { KubeClient } from "../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../kube/object.ts";

type Pod = KubeObject<unknown, { readonly phase?: string }>;

const POD: ResourceType = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };
const SHOWN = "tablewright.dev/shown-at";
const PAUSE_MS = 1_000;
/** Who is still there then waits for somebody else, as for a finalizer. */
const TIMES = 30;
/** Until then it holds the Lease, also on a busy machine; a Pod may come before. */
const LEAST_TIMES = 15;

/**
 * Shows a KWOK that was just started the Pods of its node which the one before left on their way. It looks at them once, as soon as it
 * holds the node's Lease; if its own cache does not know by then that it does, it leaves them alone, and only a change of theirs
 * brings them again.
 *
 * @throws {KubeError} if the API server cannot be asked. The signal's reason if that is aborted.
 */
export async function showPods(client: KubeClient, node: string, signal: AbortSignal): Promise<void> {
  for (let times = 0; times < TIMES; times++) {
    await delay(PAUSE_MS, { signal });
    const { items } = await client.list<Pod>(POD, { fieldSelector: `spec.nodeName=${node}`, signal });
    const pods = items.filter(isOnItsWay);
    if (pods.length === 0 && times >= LEAST_TIMES) return;
    const patch = { kind: "merge", value: { metadata: { annotations: { [SHOWN]: String(times) } } } } as const;
    const show = ({ metadata: { namespace = "", name } }: Pod) =>
      client.patch(POD, { namespace, name }, { patch, signal }).catch(() => {});
    await Promise.all(pods.map(show));
  }
}

/** Until it runs, and from when it is deleted until it is gone. */
function isOnItsWay({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase === "Pending";
}
