import { GROUP, KIND, PLURAL, type Sample, type SampleStatus, VERSION } from "../../crds/sample/types.ts";
import { isKubeError, type KubeClient } from "../../kube/client/client.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { KubeManifest, KubeObject, ResourceType } from "../../kube/object.ts";
import { StatusWriter } from "../../kube/objects/status_writer.ts";
import { removeKopfMarks } from "../kopf_takeover.ts";
import { DEPLOYMENT, DEPLOYMENT_NAME } from "./deployment.ts";

export const SAMPLE_RESOURCE: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};

/** A Deployment as far as a Sample needs it. */
export type Deployment = KubeObject<
  { readonly replicas?: number },
  { readonly observedGeneration?: number; readonly availableReplicas?: number }
>;

/** What the handler does to Kubernetes. Every verb is one that RBAC must grant. */
export interface SampleObjects {
  /** `undefined` if there is none. */
  readonly readDeployment: (namespace: string, signal: AbortSignal) => Promise<Deployment | undefined>;
  /** Makes it, or sets our fields of it; @throws {KubeError} 409 if it is not the one that was read. */
  readonly applyDeployment: (manifest: KubeManifest, signal: AbortSignal) => Promise<Deployment>;
  /** Takes kopf's finalizer and annotations away. @returns the object as it stands then; `undefined` if it is gone. */
  readonly removeKopfMarks: (sample: Sample, signal: AbortSignal) => Promise<Sample | undefined>;
  readonly writeStatus: (sample: Sample, status: SampleStatus, signal: AbortSignal) => Promise<void>;
}

/** The handler's verbs on a real API server. */
export function sampleObjects(client: KubeClient, logger: Logger): SampleObjects {
  const statusWriter = new StatusWriter({ client, type: SAMPLE_RESOURCE, logger });
  return {
    async readDeployment(namespace, signal) {
      try {
        return await client.get<Deployment>(DEPLOYMENT, { namespace, name: DEPLOYMENT_NAME }, { signal });
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    async applyDeployment(manifest, signal) {
      return (await client.apply<Deployment>(DEPLOYMENT, manifest, { force: true, signal })).object;
    },
    async removeKopfMarks(object, signal) {
      return await removeKopfMarks(client, { type: SAMPLE_RESOURCE, object, signal });
    },
    async writeStatus(sample, status, signal) {
      await statusWriter.write(sample, { ...status }, signal);
    },
  };
}
