import type { KubeManifest } from "../../../kube/object.ts";
import type { Server } from "./desired.ts";
import { labelsOf, ownerReferenceOf, selectorOf } from "../observe/labels.ts";

/** Lets in the port of the server and nothing else; what the server may reach is not ours to decide. */
export function buildNetworkPolicy({ identity, spec, engine }: Server): KubeManifest {
  const { namespace, name } = identity;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name, labels: labelsOf(identity, spec.type), ownerReferences: [ownerReferenceOf(identity)] },
    spec: {
      podSelector: { matchLabels: selectorOf(identity) },
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ port: engine.port, protocol: "TCP" }] }],
    },
  };
}
