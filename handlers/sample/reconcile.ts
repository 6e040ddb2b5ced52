import { decodeSampleSpec } from "../../crds/sample/decode.ts";
import type { Sample, SampleSpec } from "../../crds/sample/types.ts";
import type { ReconcileResult } from "../../kube/queue/controller.ts";
import { hasKopfMarks, KOPF_FINALIZER, kopfState, OTHER_OPERATOR_ACTIVE, TAKEN_OVER } from "../kopf_takeover.ts";
import { takenFault } from "./admit.ts";
import { buildDeployment, ownerNameOf } from "./deployment.ts";
import type { Deployment, SampleObjects } from "./objects.ts";
import { type Finding, isMade, nextStatus } from "./status.ts";

/** What the loop works with. */
export interface SampleContext {
  readonly objects: SampleObjects;
  readonly recordEvent: (sample: Sample, event: {
    readonly type: "Normal" | "Warning";
    /** CamelCase. */
    readonly reason: string;
    readonly note: string;
  }) => void;
  readonly now: () => Date;
}

/** A name that is taken may become free, and nobody tells us of a Deployment that is not ours. */
const RECHECK_MS = 60_000;

/**
 * Makes the Deployment what the Sample says; level-triggered, so it may be called at any time and any number of times.
 *
 * @throws {KubeError} what the controller must retry.
 */
export async function reconcileSample(
  sample: Sample,
  context: SampleContext,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (kopfState(sample.metadata, isMade(sample.status)) === "Active") {
    await report(sample, { finding: { kind: "Stalled", ...OTHER_OPERATOR_ACTIVE }, context }, signal);
    return {};
  }
  if (sample.metadata.deletionTimestamp !== undefined) {
    // The garbage collector takes the Deployment: it has an owner.
    if (sample.metadata.finalizers?.includes(KOPF_FINALIZER)) await context.objects.removeKopfMarks(sample, signal);
    return {};
  }
  const decoded = decodeSampleSpec(sample.spec);
  const finding: Finding = decoded.ok
    ? await converge(sample, { spec: decoded.value, context }, signal)
    : { kind: "Refused", reason: "InvalidSpec", errors: decoded.errors };
  const ours = finding.kind === "Scaled" ? await letGoOfKopf(sample, context, signal) : sample;
  await report(ours, { finding, context }, signal);
  return finding.kind === "Refused" && finding.reason === "NameTaken" ? { requeueAfterMs: RECHECK_MS } : {};
}

/** Takes away the marks of the operator before us: the Deployment is ours. @returns the object as it stands then. */
async function letGoOfKopf(sample: Sample, context: SampleContext, signal: AbortSignal): Promise<Sample> {
  if (!hasKopfMarks(sample.metadata)) return sample;
  const ours = await context.objects.removeKopfMarks(sample, signal);
  if (ours === undefined) return sample;
  context.recordEvent(ours, TAKEN_OVER);
  return ours;
}

async function converge(
  sample: Sample,
  { spec, context }: { readonly spec: SampleSpec; readonly context: SampleContext },
  signal: AbortSignal,
): Promise<Finding> {
  const { namespace, name, uid } = sample.metadata;
  const live = await context.objects.readDeployment(namespace, signal);
  if (live !== undefined && !isOwned(live, uid)) {
    // Of a Sample of this name that is gone, the garbage collector is about to take it.
    const owner = ownerNameOf(live);
    const errors = [takenFault(owner === name ? `${name}, which is being deleted` : owner)];
    return { kind: "Refused", reason: "NameTaken", errors };
  }
  const manifest = buildDeployment(sample, spec);
  // Under its uid: nobody takes the name in between.
  const guarded = live === undefined
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, uid: live.metadata.uid } };
  const made = await context.objects.applyDeployment(guarded, signal);
  tell(sample, { live, made, context });
  const isSeen = made.status?.observedGeneration === made.metadata.generation;
  return { kind: "Scaled", count: spec.count, available: isSeen ? made.status?.availableReplicas ?? 0 : 0 };
}

function isOwned({ metadata }: Deployment, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
}

function tell(
  sample: Sample,
  { live, made, context }: {
    readonly live: Deployment | undefined;
    readonly made: Deployment;
    readonly context: SampleContext;
  },
): void {
  const { name } = made.metadata;
  const count = made.spec?.replicas ?? 0;
  if (live === undefined) {
    context.recordEvent(sample, {
      type: "Normal",
      reason: "Created",
      note: `Deployment ${name} with ${count} replicas`,
    });
  } else if (live.spec?.replicas !== count) {
    context.recordEvent(sample, { type: "Normal", reason: "Scaled", note: `Deployment ${name} to ${count} replicas` });
  }
}

async function report(
  sample: Sample,
  { finding, context }: { readonly finding: Finding; readonly context: SampleContext },
  signal: AbortSignal,
): Promise<void> {
  const now = context.now().toISOString().replace(/\.\d+Z$/, "Z");
  const status = nextStatus(sample, finding, now);
  const isNews = sample.status?.message !== status.message;
  await context.objects.writeStatus(sample, status, signal);
  if (finding.kind !== "Scaled" && isNews) {
    context.recordEvent(sample, { type: "Warning", reason: finding.reason, note: status.message ?? "" });
  }
}
