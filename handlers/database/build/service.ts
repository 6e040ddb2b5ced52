import type { KubeManifest } from "../../../kube/object.ts";
import type { Server } from "./desired.ts";
import { labelsOf, ownerReferenceOf, schemaAnnotations, selectorOf } from "../observe/labels.ts";

/** The Service in front of a server. */
export function buildService({ identity, spec, engine, servicePort, isOurSchema }: Server): KubeManifest {
  const { namespace, name } = identity;
  const annotations = { ...spec.service.annotations, ...schemaAnnotations(isOurSchema) };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      namespace,
      name,
      labels: labelsOf(identity, spec.type),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [ownerReferenceOf(identity)],
    },
    spec: {
      type: spec.service.type,
      selector: selectorOf(identity),
      ports: [{ name: spec.type, port: servicePort, targetPort: engine.port, protocol: "TCP" }],
    },
  };
}
