import type { KubeManifest, ResourceType } from "../kube/object.ts";
import type { KubeClient } from "../kube/client.ts";
import { PROBE_ANNOTATION, type ProbeResponder } from "./probe.ts";

export interface ProofOptions {
  readonly client: Pick<KubeClient, "create">;
  readonly probe: ProbeResponder;
  readonly type: ResourceType;
  readonly namespace: string;
  readonly nonce: string;
}

/**
 * Sends a dry-run create through the API server and looks for our own answer among its warnings: only if it is there does
 * the registered address lead to an operator that holds the key.
 *
 * @throws {KubeError} if the API server refuses the create, for instance because the kind is not installed.
 */
export async function proveWebhooks(options: ProofOptions, signal: AbortSignal): Promise<boolean> {
  const { client, probe, type, namespace, nonce } = options;
  const manifest: KubeManifest = {
    apiVersion: `${type.group}/${type.version}`,
    kind: type.kind,
    metadata: { name: `tablewright-probe-${nonce.slice(0, 8)}`, namespace, annotations: { [PROBE_ANNOTATION]: nonce } },
    spec: { tableName: "tablewright_probe", columns: [{ id: "integer" }], primaryKey: "id", deletionPolicy: "Delete" },
  };
  const { warnings } = await client.create(type, manifest, { dryRun: true, signal });
  return warnings.includes(await probe.proofOf(nonce));
}
