import { apiVersionOf, type KubeManifest, type ResourceType } from "../../kube/object.ts";
import { TABLE_RESOURCE, tableManifest } from "./tables.ts";

const DATABASE_RESOURCE: ResourceType = {
  group: "zalando.org",
  version: "v1",
  plural: "databases",
  kind: "Database",
  namespaced: true,
};

/** A review of a change whose verdict needs nobody else: a new Database asks the API server whether its names are free. */
export function databaseReview(): string {
  const manifest = {
    apiVersion: apiVersionOf(DATABASE_RESOURCE),
    kind: "Database",
    metadata: { namespace: "bench", name: "reviewed" },
    spec: { type: "mongo" },
  };
  return encodeReview(DATABASE_RESOURCE, { manifest, oldManifest: manifest });
}

/** A review of a new table, whose plan needs the live catalog. */
export function tableReview(namespace: string): string {
  return encodeReview(TABLE_RESOURCE, { manifest: tableManifest(TABLE_RESOURCE, { namespace, name: "reviewed" }) });
}

/** A review whose verdict shows a plan of more than a kilobyte. */
export function longTableReview(namespace: string): string {
  const manifest = tableManifest(TABLE_RESOURCE, { namespace, name: "reviewed" });
  const columns = Array.from({ length: 40 }, (_, index) => ({ [`USER_COLUMN_${index}`]: "varchar(100)" }));
  const spec = { tableName: "REVIEWED", columns, primaryKey: "USER_COLUMN_0", deletionPolicy: "Delete" };
  return encodeReview(TABLE_RESOURCE, { manifest: { ...manifest, spec } });
}

interface Change {
  readonly manifest: KubeManifest;
  /** Absent: the object is made. */
  readonly oldManifest?: KubeManifest;
}

/** As the API server sends it, with what it adds to the object. */
function encodeReview(type: ResourceType, { manifest, oldManifest }: Change): string {
  const { group, version, kind, plural: resource } = type;
  const { namespace, name } = manifest.metadata;
  const added = {
    uid: "b6a51e4e-7b0b-4f7e-9c55-3b1f3bd3a2b8",
    creationTimestamp: "2026-01-01T00:00:00Z",
    generation: 1,
  };
  const stored = (each: KubeManifest) => ({ ...each, metadata: { ...each.metadata, ...added } });
  const [operation, optionsKind] = oldManifest === undefined
    ? ["CREATE", "CreateOptions"]
    : ["UPDATE", "UpdateOptions"];
  const request = {
    uid: "0d9b3a4e-3f0c-4f62-9c0b-0a2f1f1f6c11",
    kind: { group, version, kind },
    resource: { group, version, resource },
    requestKind: { group, version, kind },
    requestResource: { group, version, resource },
    ...{ name, namespace, operation, dryRun: true },
    userInfo: { username: "admin", groups: ["system:masters", "system:authenticated"] },
    object: stored(manifest),
    oldObject: oldManifest === undefined ? null : stored(oldManifest),
    options: { apiVersion: "meta.k8s.io/v1", kind: optionsKind, fieldManager: "bench" },
  };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
}
