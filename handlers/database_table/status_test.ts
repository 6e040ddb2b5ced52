import { assertEquals } from "@std/assert";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { emptyRelation, type Relation } from "../../postgres/catalog/relation.ts";
import { nextStatus } from "./status.ts";

const OBJECT: DatabaseTable = {
  apiVersion: "kopf.demo/v1",
  kind: "DatabaseTable",
  metadata: {
    name: "a",
    namespace: "b",
    uid: "u",
    generation: 3,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
};

function relation(totalBytes: number): Relation {
  return { ...emptyRelation("public", "t"), oid: 7, totalBytes };
}

function types(object: DatabaseTable): readonly string[] {
  return (object.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`);
}

Deno.test("nextStatus() is the same for the same finding, whatever the table's size and the order of members", () => {
  const first = nextStatus(OBJECT, { kind: "Ready", relation: relation(1) }, "2026-01-01T00:00:00Z");
  // As the API server returns it: members in the order of their names.
  const conditions = (first.conditions ?? []).map((each) =>
    Object.fromEntries(Object.entries(each).toSorted()) as unknown as typeof each
  );
  const stored = { ...OBJECT, status: { ...first, conditions } };
  const second = nextStatus(stored, { kind: "Ready", relation: relation(2) }, "2026-01-02T00:00:00Z");
  assertEquals(second, first);
});

Deno.test("nextStatus() refreshes the sizes together with another change", () => {
  const status = nextStatus(OBJECT, { kind: "Ready", relation: relation(1) }, "2026-01-01T00:00:00Z");
  const newer = { ...OBJECT, metadata: { ...OBJECT.metadata, generation: 4 }, status };
  assertEquals(
    nextStatus(newer, { kind: "Ready", relation: relation(2) }, "2026-01-02T00:00:00Z").observed?.totalBytes,
    2,
  );
});

Deno.test("nextStatus() says Stalled for what a user must mend and Reconciling for what is retried", () => {
  const errors = [{ path: "spec.columns", type: "FieldValueForbidden", detail: "no" }] as const;
  const faulty = nextStatus(OBJECT, { kind: "Faulty", reason: "PlanRefused", errors }, "2026-01-01T00:00:00Z");
  assertEquals(types({ ...OBJECT, status: faulty }), ["Ready=False", "Stalled=True"]);
  assertEquals(faulty.message, "spec.columns: no");
  const failing = {
    kind: "Failing",
    reason: "DatabaseUnreachable",
    message: "refused",
    databaseReachable: false,
  } as const;
  const status = nextStatus({ ...OBJECT, status: faulty }, failing, "2026-01-01T00:00:00Z");
  assertEquals(types({ ...OBJECT, status }), ["Ready=False", "Reconciling=True", "DatabaseReachable=False"]);
});

Deno.test("nextStatus() leaves conditions of others alone", () => {
  const foreign = {
    type: "Backup",
    status: "True",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
    reason: "Done",
    message: "",
  } as const;
  const object = { ...OBJECT, status: { conditions: [foreign] } };
  const status = nextStatus(object, { kind: "Ready", relation: relation(1) }, "2026-01-01T00:00:00Z");
  assertEquals(status.conditions?.[0], foreign);
});
