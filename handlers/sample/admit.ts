import { decodeSampleSpec } from "../../crds/sample/decode.ts";
import { type FieldError, forbidden } from "../../crds/field_error.ts";
import { KubeError } from "../../kube/client/client.ts";
import type { AdmissionRequest, Verdict } from "../admission/admission_review.ts";
import { DEPLOYMENT_NAME, ownerNameOf } from "./deployment.ts";
import type { SampleObjects } from "./objects.ts";

/** Judges one review of a Sample. Writes nothing, so that it is safe under dry-run; the loop asks everything again. */
export async function admitSample(
  { object, oldObject, namespace, name }: AdmissionRequest,
  objects: Pick<SampleObjects, "readDeployment">,
  signal: AbortSignal,
): Promise<Verdict> {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return { kind: "allowed", warnings: [] };
  const decoded = decodeSampleSpec(object.spec);
  const errors = decoded.ok ? [] : decoded.errors;
  const taken = oldObject === undefined ? await askOwner(objects, { namespace, name }, signal) : NOTHING;
  const all = [...errors, ...taken.errors];
  return all.length > 0
    ? { kind: "denied", errors: all, warnings: taken.warnings }
    : { kind: "allowed", warnings: taken.warnings };
}

interface Found {
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

const NOTHING: Found = { errors: [], warnings: [] };

async function askOwner(
  objects: Pick<SampleObjects, "readDeployment">,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Found> {
  try {
    const deployment = await objects.readDeployment(namespace, signal);
    if (deployment === undefined || ownerNameOf(deployment) === name) return NOTHING;
    return { errors: [takenFault(ownerNameOf(deployment))], warnings: [] };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return {
      errors: [],
      warnings: ["whether the Deployment is free cannot be asked now: that is checked again later"],
    };
  }
}

/** One namespace has one Deployment of that name; the same words at admission and in the loop. */
export function takenFault(owner: string | undefined): FieldError {
  const whose = owner === undefined ? "is not owned by a Sample" : `belongs to Sample ${owner}`;
  return forbidden(
    "metadata.namespace",
    `Deployment ${DEPLOYMENT_NAME} of this namespace ${whose}: use another namespace`,
  );
}
