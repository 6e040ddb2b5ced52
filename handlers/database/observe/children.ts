import type { KubeObject, ResourceType } from "../../../kube/object.ts";

export const POD = core("pods", "Pod");
export const SERVICE = core("services", "Service");
export const VOLUME_CLAIM = core("persistentvolumeclaims", "PersistentVolumeClaim");
export const SECRET = core("secrets", "Secret");
export const NETWORK_POLICY: ResourceType = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "networkpolicies",
  kind: "NetworkPolicy",
  namespaced: true,
};

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string };
}

/** A Pod as far as it is looked at. */
export type Pod = KubeObject<Readonly<Record<string, unknown>>, {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly PodCondition[];
  readonly containerStatuses?: readonly { readonly state?: ContainerState }[];
}>;

export type Service = KubeObject<{
  readonly clusterIP?: string;
  readonly ports?: readonly { readonly port: number; readonly nodePort?: number }[];
}>;

export type VolumeClaim = KubeObject<{
  readonly storageClassName?: string;
  readonly resources?: { readonly requests?: { readonly storage?: string } };
}, { readonly phase?: string; readonly capacity?: { readonly storage?: string } }>;

export type Secret = KubeObject & { readonly type?: string; readonly data?: Readonly<Record<string, string>> };

/** Everything that exists under the names of a Database. */
export interface Children {
  readonly pod: Pod | undefined;
  readonly service: Service | undefined;
  readonly claim: VolumeClaim | undefined;
  /** The one with the passwords: ours, or the user's. */
  readonly credentials: Secret | undefined;
  readonly binding: Secret | undefined;
  readonly networkPolicy: KubeObject | undefined;
}

function core(plural: string, kind: string): ResourceType {
  return { group: "", version: "v1", plural, kind, namespaced: true };
}
