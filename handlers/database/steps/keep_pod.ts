import { isObject } from "../../../crds/decode_fields.ts";
import type { KubeManifest } from "../../../kube/object.ts";
import { jsonEquals } from "../../../kube/client/merge_patch.ts";
import { differencesBetween } from "../observe/covers.ts";
import { TAKEN_OVER, TEMPLATE_HASH } from "../observe/labels.ts";
import { buildPod } from "../build/pod.ts";
import { podStateOf } from "../observe/pod_state.ts";
import { readLiving } from "./confirm.ts";
import { keep, type Step } from "./step.ts";

/** What became of the Pod. */
export type PodOutcome =
  | { readonly kind: "kept" }
  /** It is on its way: the next event comes from the Pod. */
  | { readonly kind: "replacing"; readonly message: string }
  /** It has ended as those before it, and is replaced later. */
  | { readonly kind: "resting"; readonly message: string; readonly recheckMs: number }
  /** It stays as it is, though a new one would be another. */
  | { readonly kind: "outdated"; readonly message: string };

/**
 * Makes the Pod, replaces one that ended or that was made of another template, and corrects the rest in place. Never two at a time:
 * the old one must be gone before the new one is made, since both would write into one volume.
 */
export async function keepPod(step: Step): Promise<PodOutcome> {
  const { children, server } = step;
  const wanted = await buildPod(server);
  const state = podStateOf(children.pod);
  switch (state.kind) {
    case "absent":
      await keep(step, undefined, wanted);
      tell(step, "PodCreated", `Pod ${server.identity.name} is made with ${server.image}`);
      return { kind: "kept" };
    case "ending":
      return { kind: "replacing", message: "the Pod ends; a new one is made when it is gone" };
    case "ended":
      return await replaceEndedPod(step, wanted, state.message);
    case "ready":
    case "starting":
      return await keepLivingPod(step, wanted);
  }
}

/** One that the kubelet rejects as soon as it is made must not be made and deleted without end; another spec is tried at once. */
async function replaceEndedPod(step: Step, wanted: KubeManifest, why: string): Promise<PodOutcome> {
  const { children: { pod }, replacements, server: { identity: { namespace, name } } } = step;
  const key = `${namespace}/${name}`;
  const isOutdated = pod?.metadata.annotations?.[TEMPLATE_HASH] !== templateHashOf(wanted);
  if (pod === undefined || isOutdated) replacements.forget(key);
  else {
    const { waitMs, at, before } = replacements.next(key, pod);
    if (waitMs > 0) {
      const times = before === 1 ? "the one before it did" : `the ${before} before it did`;
      const moment = at.toISOString().replace(".000Z", "Z");
      const message = `the Pod has ended, as ${times}; it is replaced at ${moment}: ${why}`;
      return { kind: "resting", message, recheckMs: waitMs };
    }
  }
  return await replacePod(step, `it has ended: ${why}`);
}

async function keepLivingPod(step: Step, wanted: KubeManifest): Promise<PodOutcome> {
  const { children: { pod } } = step;
  const { annotations = {} } = pod?.metadata ?? {};
  if (annotations[TAKEN_OVER] !== undefined) return await keepTakenOver(step, wanted);
  if (annotations[TEMPLATE_HASH] !== templateHashOf(wanted)) {
    return await replacePod(step, "the spec asks for another one");
  }
  await keep(step, pod, wanted);
  return { kind: "kept" };
}

/** A Pod that kopf made has its data in the container: it goes when the user says so, and not before. */
async function keepTakenOver(step: Step, wanted: KubeManifest): Promise<PodOutcome> {
  const { children: { pod }, server } = step;
  if (server.spec.upgradePolicy.replace === "Now") return await replacePod(step, "upgradePolicy.replace is Now");
  const paths = differencesBetween(pod?.spec, wanted["spec"]).map((path) => `spec.${path}`);
  const listed = [...new Set(paths)].slice(0, 12).join(", ");
  const message = `another operator made the Pod; a new one would differ in ${listed}; ` +
    "its data is in the container: save it, then set upgradePolicy.replace to Now or delete the Pod";
  return { kind: "outdated", message };
}

async function replacePod(step: Step, why: string): Promise<PodOutcome> {
  const { children: { pod }, server, context, signal, object } = step;
  if (pod === undefined) return { kind: "kept" };
  if (!server.isOurSchema) {
    return { kind: "outdated", message: `${why}; it is kept while the CustomResourceDefinition is not ours` };
  }
  // What we know may be older than the schema: a spec that was read through another one lacks fields.
  if (!await isStillWanted(step)) return { kind: "replacing", message: "the object has changed meanwhile" };
  await context.objects.endPod(pod, signal);
  context.recordEvent(object, {
    type: "Normal",
    reason: "PodReplaced",
    note: `Pod ${server.identity.name} is replaced: ${why}`,
  });
  return { kind: "replacing", message: `the Pod is replaced: ${why}` };
}

async function isStillWanted({ object, context, signal }: Step): Promise<boolean> {
  if (await context.objects.servedSchema(signal) !== "ours") return false;
  const now = await readLiving(context.objects, object, signal);
  return now !== undefined && jsonEquals(now.spec, object.spec);
}

function templateHashOf({ metadata }: KubeManifest): unknown {
  return isObject(metadata["annotations"]) ? metadata["annotations"][TEMPLATE_HASH] : undefined;
}

function tell({ context, object }: Step, reason: string, note: string): void {
  context.recordEvent(object, { type: "Normal", reason, note });
}
