import type { KubeObject } from "../../../kube/object.ts";
import { POD } from "../observe/children.ts";
import { labelsOf, TAKEN_OVER } from "../observe/labels.ts";
import { isMadeByKopf } from "../policy.ts";
import type { Step } from "./step.ts";

/**
 * Puts our labels on a Pod that kopf made for this Database, and changes nothing else of it: from now on it is watched, and the
 * Service that selects by them finds it.
 */
export async function takeOverPod(step: Step): Promise<Step> {
  const { children, server: { identity, spec }, context, object, signal } = step;
  const { pod } = children;
  if (pod === undefined || !isMadeByKopf(pod, identity)) return step;
  const labels = { ...pod.metadata.labels, ...labelsOf(identity, spec.type) };
  const annotations = { ...pod.metadata.annotations, [TAKEN_OVER]: "kopf" };
  await context.objects.mark(POD, pod, { metadata: { labels, annotations }, signal });
  const note = `Pod ${identity.name}, which another operator made, is taken over as it is`;
  context.recordEvent(object, { type: "Normal", reason: "TakenOver", note });
  return { ...step, children: { ...children, pod: { ...pod, metadata: { ...pod.metadata, labels, annotations } } } };
}

/** Whether the Pod is one that another operator made: it knows no password of ours. */
export function isTakenOver(pod: KubeObject | undefined): boolean {
  return pod?.metadata.annotations?.[TAKEN_OVER] !== undefined;
}
