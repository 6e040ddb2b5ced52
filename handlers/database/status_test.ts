import { assertEquals } from "@std/assert";
import type { Database, DatabaseStatus } from "../../crds/database/types.ts";
import { invalid } from "../../crds/field_error.ts";
import type { Facts, Finding } from "./status.ts";
import { nextStatus } from "./status.ts";

const NOW = "2026-01-31T12:00:00Z";
const READY: Facts = {
  pod: { kind: "ready" },
  isTakenOver: false,
  version: "18",
  endpoint: { host: "db.shop.svc", port: 5432, nodePort: 30000 },
  binding: "db-binding",
};

function object(status?: DatabaseStatus): Database {
  const metadata = {
    name: "db",
    namespace: "shop",
    uid: "u1",
    generation: 3,
    resourceVersion: "1",
    creationTimestamp: NOW,
  };
  return { apiVersion: "zalando.org/v1", kind: "Database", metadata, ...(status === undefined ? {} : { status }) };
}

function conditionsOf(finding: Finding, facts: Facts): readonly string[] {
  return nextStatus(object(), { finding, facts }, NOW).conditions.map(({ type, status, reason }) =>
    `${type}=${status} ${reason}`
  );
}

Deno.test("nextStatus() of a server that runs has everything that a client needs", () => {
  const ready = { status: "True", observedGeneration: 3, lastTransitionTime: NOW } as const;
  const message = "Pod and Service created by Database db";
  assertEquals(nextStatus(object(), { finding: { kind: "Made" }, facts: READY }, NOW), {
    observedGeneration: 3,
    message,
    conditions: [
      { ...ready, type: "Ready", reason: "PodReady", message },
      { ...ready, type: "AcceptingConnections", reason: "LoginSucceeded", message: "" },
    ],
    endpoint: { host: "db.shop.svc", port: 5432, nodePort: 30000 },
    version: "18",
    binding: { name: "db-binding" },
  });
});

Deno.test("nextStatus() is Ready only when the Pod is, and says why it is not", () => {
  const facts: Facts = { ...READY, pod: { kind: "starting", message: "ErrImagePull" } };
  assertEquals(conditionsOf({ kind: "Made" }, facts), [
    "Ready=False PodNotReady",
    "Reconciling=True PodNotReady",
    "AcceptingConnections=False PodNotReady",
  ]);
  assertEquals(nextStatus(object(), { finding: { kind: "Made" }, facts }, NOW).message, "ErrImagePull");
});

Deno.test("nextStatus() does not know whether a Pod without our probes lets anybody in", () => {
  assertEquals(conditionsOf({ kind: "Made" }, { ...READY, isTakenOver: true, upgrade: "spec.securityContext" }), [
    "Ready=True PodReady",
    "AcceptingConnections=Unknown NoProbe",
    "UpgradePending=True PodDiffers",
  ]);
});

Deno.test("nextStatus() of a taken name is Stalled, and keeps what clients use", () => {
  const finding: Finding = { kind: "Faulty", reason: "NameTaken", errors: [invalid("metadata.name", "is taken")] };
  const facts: Facts = { pod: { kind: "absent" }, isTakenOver: false };
  assertEquals(conditionsOf(finding, facts), [
    "Ready=False NameTaken",
    "Stalled=True NameTaken",
    "OwnershipConflict=True NameTaken",
  ]);
  const before = nextStatus(object(), { finding: { kind: "Made" }, facts: READY }, NOW);
  const { endpoint, version, binding, message } = nextStatus(object(before), { finding, facts }, NOW);
  assertEquals([endpoint, version, binding], [before.endpoint, before.version, before.binding]);
  assertEquals(message, "metadata.name: is taken");
});

Deno.test("nextStatus() removes conditions that do not apply any more, and leaves those of others", () => {
  const theirs = {
    type: "Audited",
    status: "True",
    observedGeneration: 1,
    lastTransitionTime: NOW,
    reason: "x",
    message: "",
  } as const;
  const before = { observedGeneration: 2, message: "", conditions: [theirs, { ...theirs, type: "Stalled" }] };
  const { conditions } = nextStatus(object(before), { finding: { kind: "Made" }, facts: READY }, NOW);
  assertEquals(conditions.map(({ type }) => type), ["Audited", "Ready", "AcceptingConnections"]);
});
