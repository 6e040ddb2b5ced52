import { isKubeError } from "../../../kube/client/client.ts";
import type { VolumeClaim } from "../observe/children.ts";
import type { Facts } from "../status.ts";
import { isKept } from "../observe/kept.ts";
import { keep, make, type Step } from "./step.ts";
import { buildVolumeClaim } from "../build/volume_claim.ts";

/** Makes the claim of the volume, or lets it grow. A growth that is refused leaves everything as it is, and is said. */
export async function keepClaim(step: Step): Promise<Facts["storage"]> {
  const { server, children: { claim }, context, signal } = step;
  const { storage } = server.spec;
  if (storage === undefined) return undefined;
  const manifest = buildVolumeClaim(server, storage);
  if (claim === undefined) {
    await make(step, manifest);
    return { status: "False", reason: "Pending", message: `PersistentVolumeClaim ${server.identity.name} is made` };
  }
  if (isKept(claim, manifest, server.identity.uid)) return storageFact(step);
  try {
    await context.objects.correct(claim, manifest, signal);
    return storageFact(step);
  } catch (error) {
    if (!isKubeError(error, 422) && !isKubeError(error, 403)) throw error;
    await keepWithSize(step, claim);
    return { status: "False", reason: "ResizeRefused", message: error.message };
  }
}

/** Everything but the growth: who owns the claim must not hang on it. */
async function keepWithSize(step: Step, claim: VolumeClaim): Promise<void> {
  const { spec: { storage } } = step.server;
  const size = claim.spec?.resources?.requests?.storage;
  if (storage === undefined || size === undefined) return;
  await keep(step, claim, buildVolumeClaim(step.server, { ...storage, size }));
}

function storageFact({ children: { claim } }: Step): Facts["storage"] {
  if (claim?.status?.phase === "Bound") {
    return {
      status: "True",
      reason: "Bound",
      message: `the volume has ${claim.status.capacity?.storage ?? "its size"}`,
    };
  }
  const message =
    "no volume is bound to the claim yet; it may wait for the Pod, or for a storage class that makes volumes";
  return { status: "False", reason: "Pending", message };
}
