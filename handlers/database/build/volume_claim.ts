import type { StorageSpec } from "../../../crds/database/types.ts";
import type { KubeManifest } from "../../../kube/object.ts";
import type { Server } from "./desired.ts";
import { labelsOf, ownerReferenceOf, schemaAnnotations, SERVER_TYPE, SERVER_VERSION } from "../observe/labels.ts";

/** The claim of a server's volume. Only an explicit `Delete` makes it go with the Database. */
export function buildVolumeClaim({ identity, spec, version, isOurSchema }: Server, storage: StorageSpec): KubeManifest {
  const { namespace, name } = identity;
  const { size, storageClassName } = storage;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      namespace,
      name,
      labels: labelsOf(identity, spec.type),
      annotations: { [SERVER_TYPE]: spec.type, [SERVER_VERSION]: version, ...schemaAnnotations(isOurSchema) },
      ...(spec.deletionPolicy === "Delete" ? { ownerReferences: [ownerReferenceOf(identity)] } : {}),
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClassName === undefined ? {} : { storageClassName }),
      resources: { requests: { storage: size } },
    },
  };
}
