import type { Sample, SampleSpec } from "../../crds/sample/types.ts";
import type { KubeManifest, KubeObject, ResourceType } from "../../kube/object.ts";

export const DEPLOYMENT: ResourceType = {
  group: "apps",
  version: "v1",
  plural: "deployments",
  kind: "Deployment",
  namespaced: true,
};

/** What users of the tutorials look for. */
export const DEPLOYMENT_NAME = "demo-deploy";

const IMAGE = "registry.k8s.io/pause:3.10";
const MANAGED_BY = { "app.kubernetes.io/managed-by": "tablewright", "app.kubernetes.io/component": "sample" };

/** Selects the Deployments of all Samples. */
export const OWNED_SELECTOR = Object.entries(MANAGED_BY).map(([key, value]) => `${key}=${value}`).join(",");

/** The Deployment of a Sample; owned by it, so that the garbage collector takes it away with it. Pure. */
export function buildDeployment(sample: Sample, { count }: SampleSpec): KubeManifest {
  const { apiVersion, kind, metadata: { namespace, name, uid } } = sample;
  const selector = { "app.kubernetes.io/name": DEPLOYMENT_NAME };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      namespace,
      name: DEPLOYMENT_NAME,
      labels: { ...selector, ...MANAGED_BY },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    spec: {
      replicas: count,
      selector: { matchLabels: selector },
      template: { metadata: { labels: { ...selector, ...MANAGED_BY } }, spec: POD },
    },
  };
}

/** As the Pod Security Standard `restricted` wants it. */
const POD = {
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: { runAsNonRoot: true, runAsUser: 65_535, seccompProfile: { type: "RuntimeDefault" } },
  containers: [{
    name: "pause",
    image: IMAGE,
    resources: { requests: { cpu: "1m", memory: "4Mi" }, limits: { memory: "16Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  }],
};

/** Whose a Deployment is: the name of the Sample that controls it; `undefined` if none does. Pure. */
export function ownerNameOf({ metadata }: Pick<KubeObject, "metadata">): string | undefined {
  return metadata.ownerReferences?.find(({ kind, apiVersion }) =>
    kind === "Sample" && apiVersion.startsWith("nuvolaris.org/")
  )?.name;
}
