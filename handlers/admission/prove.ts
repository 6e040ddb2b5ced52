import { type KubeClient, KubeError } from "../../kube/client/client.ts";
import { apiVersionOf, type KubeManifest, type ResourceType } from "../../kube/object.ts";
import { PROBE_ANNOTATION, type ProbeResponder } from "./probe.ts";

export interface ProofOptions {
  readonly client: Pick<KubeClient, "create">;
  readonly probe: ProbeResponder;
  readonly type: ResourceType;
  /** In the first of these that takes it: one may not exist, or be on its way out. At least one. */
  readonly namespaces: readonly string[];
  /** Of lower-case letters, digits and hyphens, never used before. */
  readonly random: string;
}

/**
 * Sends a dry-run create through the API server and looks for our own answer among its warnings: only if it is there does
 * the registered address lead to an operator that holds the key. A denial proves it as well as a consent.
 *
 * @throws {KubeError} if the API server refuses the create without our answer, for instance because the kind is not installed.
 */
export async function proveWebhooks(options: ProofOptions, signal: AbortSignal): Promise<boolean> {
  let refusal: unknown;
  for (const namespace of options.namespaces) {
    try {
      return await proveIn(namespace, options, signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function proveIn(namespace: string, options: ProofOptions, signal: AbortSignal): Promise<boolean> {
  const { client, probe, type } = options;
  const nonce = await probe.createNonce(options.random);
  const proof = await probe.proofOf(nonce);
  try {
    const manifest = probeManifest(options, { namespace, nonce });
    const { warnings } = await client.create(type, manifest, { dryRun: true, signal });
    return warnings.includes(proof);
  } catch (error) {
    if (error instanceof KubeError && error.warnings.includes(proof)) return true;
    throw error;
  }
}

function probeManifest(
  { type, random }: ProofOptions,
  { namespace, nonce }: { readonly namespace: string; readonly nonce: string },
): KubeManifest {
  const suffix = random.slice(0, 8);
  return {
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { name: `tablewright-probe-${suffix}`, namespace, annotations: { [PROBE_ANNOTATION]: nonce } },
    spec: {
      tableName: `tablewright_probe_${suffix}`,
      columns: [{ id: "integer" }],
      primaryKey: "id",
      deletionPolicy: "Delete",
    },
  };
}
