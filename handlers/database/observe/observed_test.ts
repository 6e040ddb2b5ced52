import { assertEquals } from "@std/assert";
import type { KubeObject } from "../../../kube/object.ts";
import type { Children, Pod, VolumeClaim } from "./children.ts";
import { covers, differencesBetween } from "./covers.ts";
import { IDENTITY, serverOf } from "../fake_server.ts";
import { isKept } from "./kept.ts";
import { ownershipOf } from "./labels.ts";
import { podStateOf } from "./pod_state.ts";
import { changeFaults, childrenInQuestion, nameFaults, storedVersion } from "../policy.ts";

const METADATA = { name: "db", namespace: "shop", uid: "c1", resourceVersion: "1", creationTimestamp: "" };
const OURS = { "app.kubernetes.io/managed-by": "tablewright", "app.kubernetes.io/instance": "db" };

function owned(uid: string, labels: Record<string, string> = {}, kind = "Database"): KubeObject {
  const ownerReferences = [{ apiVersion: "zalando.org/v1", kind, name: "db", uid }];
  return { apiVersion: "v1", kind: "Pod", metadata: { ...METADATA, labels, ownerReferences } };
}

Deno.test("ownershipOf() tells ours, kopf's, those of an earlier object and everybody else's apart", () => {
  assertEquals(ownershipOf(owned("u1", OURS), IDENTITY), "ours");
  assertEquals(ownershipOf(owned("u1"), IDENTITY), "kopf");
  assertEquals(ownershipOf(owned("u0", OURS), IDENTITY), "former");
  assertEquals(ownershipOf(owned("u0"), IDENTITY), "former");
  assertEquals(ownershipOf(owned("u9", OURS, "ReplicaSet"), IDENTITY), "foreign");
  assertEquals(ownershipOf(owned("u9", {}, "ReplicaSet"), IDENTITY), "foreign");
  const orphan = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { ...METADATA, labels: OURS } };
  assertEquals(ownershipOf(orphan, IDENTITY), "ours");
  assertEquals(ownershipOf({ ...orphan, metadata: METADATA }, IDENTITY), "foreign");
});

function pod(status: Pod["status"], deletionTimestamp?: string): Pod {
  const metadata = deletionTimestamp === undefined ? METADATA : { ...METADATA, deletionTimestamp };
  return { apiVersion: "v1", kind: "Pod", metadata, ...(status === undefined ? {} : { status }) };
}

Deno.test("podStateOf() says what a Pod does, and why it does not start", () => {
  assertEquals(podStateOf(undefined), { kind: "absent" });
  assertEquals(podStateOf(pod({ phase: "Running" }, "now")), { kind: "ending" });
  assertEquals(podStateOf(pod({ phase: "Failed", reason: "Evicted", message: "low on memory" })), {
    kind: "ended",
    message: "Evicted: low on memory",
  });
  assertEquals(podStateOf(pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] })), {
    kind: "ready",
  });
  const unscheduled = [{ type: "PodScheduled", status: "False", message: "0/1 nodes are available" }];
  assertEquals(podStateOf(pod({ phase: "Pending", conditions: unscheduled })), {
    kind: "starting",
    message: "0/1 nodes are available",
  });
  const waiting = [{ state: { waiting: { reason: "ErrImagePull", message: "not found" } } }];
  assertEquals(
    podStateOf(
      pod({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "True" }], containerStatuses: waiting }),
    ),
    { kind: "starting", message: "ErrImagePull: not found" },
  );
});

Deno.test("covers() asks for what is wanted and not for what others added", () => {
  assertEquals(covers({ a: 1, b: { c: [1, 2], d: 3 } }, { b: { c: [1, 2] } }), true);
  assertEquals(covers({ b: { c: [1, 2] } }, { b: { c: [1] } }), false);
  assertEquals(covers({ b: { c: [1, 2] } }, { b: { c: [1] } }, { mayAppend: true }), true);
  assertEquals(differencesBetween({ a: [{ x: 1, y: 2 }] }, { a: [{ x: 1, y: 3 }], z: {} }), ["a[0].y", "z"]);
});

Deno.test("isKept() sees a lost owner, a changed quantity and an annotation that is not wanted any more", () => {
  const live = owned("u1", OURS);
  const manifest = (metadata: Record<string, unknown>, spec: unknown = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "db", ...metadata },
    spec,
  });
  const withSpec = { ...live, spec: { storage: "1Gi" } };
  const ownerReferences = live.metadata.ownerReferences;
  assertEquals(isKept(withSpec, manifest({ labels: OURS, ownerReferences }, { storage: "1024Mi" }), "u1"), true);
  assertEquals(isKept(withSpec, manifest({ labels: OURS, ownerReferences }, { storage: "2Gi" }), "u1"), false);
  assertEquals(isKept(withSpec, manifest({ labels: OURS }), "u1"), false);
  const managedFields = [{
    manager: "tablewright",
    operation: "Apply",
    fieldsV1: { "f:metadata": { "f:annotations": { "f:old": {} } } },
  }];
  const annotated = {
    ...withSpec,
    metadata: { ...live.metadata, annotations: { old: "1", theirs: "2" }, managedFields },
  };
  assertEquals(isKept(annotated, manifest({ labels: OURS, ownerReferences, annotations: { old: "1" } }), "u1"), true);
  assertEquals(isKept(annotated, manifest({ labels: OURS, ownerReferences }), "u1"), false);
});

function childrenWith(claim: Partial<VolumeClaim["spec"]>, annotations: Record<string, string>): Children {
  const spec = { resources: { requests: { storage: "2Gi" } }, ...claim };
  return {
    pod: undefined,
    service: undefined,
    claim: { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { ...METADATA, annotations }, spec },
    credentials: undefined,
    binding: undefined,
    networkPolicy: undefined,
  };
}

Deno.test("changeFaults() refuses, by what exists, what the data does not survive", () => {
  const annotations = { "tablewright.dev/server-type": "postgres", "tablewright.dev/server-version": "17" };
  const paths = (spec: unknown, claim: Partial<VolumeClaim["spec"]> = {}) =>
    changeFaults(serverOf(spec), childrenWith(claim, annotations)).map(({ path }) => path);
  const storage = { size: "2Gi" };
  assertEquals(paths({ type: "postgres", version: "17.2", storage }), []);
  assertEquals(paths({ type: "postgres", storage }), ["spec.version"]);
  assertEquals(paths({ type: "postgres", storage, upgradePolicy: { major: "Manual" } }), []);
  assertEquals(paths({ type: "postgres", version: "17" }), ["spec.storage"]);
  assertEquals(paths({ type: "postgres", version: "17", storage: { size: "1Gi" } }), ["spec.storage.size"]);
  assertEquals(paths({ type: "postgres", version: "17", storage: { ...storage, storageClassName: "fast" } }), [
    "spec.storage.storageClassName",
  ]);
  assertEquals(paths({ type: "mysql", storage }), ["spec.type"]);
});

Deno.test("nameFaults() asks for free names only of what the spec wants to be made", () => {
  const children = childrenWith({}, {});
  const faults = (spec: unknown) => {
    const server = serverOf(spec);
    return nameFaults(childrenInQuestion(children, server.spec, IDENTITY), IDENTITY, false).map(({ detail }) => detail);
  };
  assertEquals(faults({ type: "mysql" }), []);
  assertEquals(faults({ type: "mysql", storage: { size: "1Gi" } }), [
    "PersistentVolumeClaim shop/db exists and was not made for this Database: choose another name or remove it",
  ]);
});

Deno.test("storedVersion() is that of our own volume", () => {
  const children = childrenWith({}, { "tablewright.dev/server-version": "17" });
  assertEquals(storedVersion(children, IDENTITY), undefined);
  const { claim } = children;
  const ours = claim === undefined ? undefined : { ...claim, metadata: { ...claim.metadata, labels: OURS } };
  assertEquals(storedVersion({ ...children, claim: ours }, IDENTITY), "17");
});
