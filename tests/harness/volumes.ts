import { Kubectl } from "./kubectl.ts";
import type { Testbed } from "./testbed.ts";

/** A volume of 4Gi and the class `by-hand`, since nothing makes volumes beside a simulated node. */
export async function makeVolume(testbed: Testbed, name: string): Promise<void> {
  const storageClass = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "by-hand" },
    provisioner: "kubernetes.io/no-provisioner",
  };
  const volume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "4Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "by-hand",
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: `/nowhere/${name}` },
    },
  };
  const kubectl = new Kubectl(testbed, "default");
  for (const manifest of [storageClass, volume]) await kubectl.ok(["apply", "-f", "-"], JSON.stringify(manifest));
}
