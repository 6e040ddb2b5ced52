import { assertEquals } from "@std/assert";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { emptyRelation, type Relation } from "../../postgres/catalog/relation.ts";
import { isReached, nextStatus } from "./status.ts";
import type { Report } from "./status_report.ts";

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

function ready(totalBytes: number, more: Omit<Report, "finding"> = {}): Report {
  return { finding: { kind: "Ready", relation: relation(totalBytes), specHash: "abc", database: "app" }, ...more };
}

function types(object: DatabaseTable): readonly string[] {
  return (object.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`);
}

Deno.test("nextStatus() is the same for the same finding, whatever the table's size and the order of members", () => {
  const first = nextStatus(OBJECT, ready(1), "2026-01-01T00:00:00Z");
  // As the API server returns it: members in the order of their names.
  const conditions = (first.conditions ?? []).map((each) =>
    Object.fromEntries(Object.entries(each).toSorted()) as unknown as typeof each
  );
  const stored = { ...OBJECT, status: { ...first, conditions } };
  const second = nextStatus(stored, ready(2), "2026-01-02T00:00:00Z");
  assertEquals(second, first);
});

Deno.test("nextStatus() refreshes the sizes together with another change", () => {
  const status = nextStatus(OBJECT, ready(1), "2026-01-01T00:00:00Z");
  const newer = { ...OBJECT, metadata: { ...OBJECT.metadata, generation: 4 }, status };
  assertEquals(
    nextStatus(newer, ready(2), "2026-01-02T00:00:00Z").observed?.totalBytes,
    2,
  );
});

Deno.test("nextStatus() says Stalled for what a user must mend and Reconciling for what is retried", () => {
  const errors = [{ path: "spec.columns", type: "FieldValueForbidden", detail: "no" }] as const;
  const faulty = nextStatus(
    OBJECT,
    { finding: { kind: "Faulty", reason: "PlanRefused", errors } },
    "2026-01-01T00:00:00Z",
  );
  assertEquals(types({ ...OBJECT, status: faulty }), ["Ready=False", "Stalled=True"]);
  assertEquals(faulty.message, "spec.columns: no");
  const failing = {
    kind: "Failing",
    reason: "DatabaseUnreachable",
    message: "refused",
    databaseReachable: false,
  } as const;
  const status = nextStatus({ ...OBJECT, status: faulty }, { finding: failing }, "2026-01-01T00:00:00Z");
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
  const status = nextStatus(object, ready(1), "2026-01-01T00:00:00Z");
  assertEquals(status.conditions?.[0], foreign);
});

const UNNAMED = { named: [], unnamed: [{ kind: "Column", name: "x", found: "integer" }] } as const;
const NAMED = { named: [{ kind: "Column", name: "note", expected: "text" }], unnamed: [] } as const;

Deno.test("nextStatus() tells what the spec does not name beside Ready, and takes it back when it is gone", () => {
  const status = nextStatus(OBJECT, ready(1, { drift: UNNAMED }), "2026-01-01T00:00:00Z");
  assertEquals(types({ ...OBJECT, status }), ["Ready=True", "DatabaseReachable=True", "Drifted=True"]);
  assertEquals(status.drift, UNNAMED.unnamed);
  const drifted = status.conditions?.find(({ type }) => type === "Drifted");
  assertEquals([drifted?.reason, drifted?.message], ["NotInSpec", "column x is not in the spec"]);
  const drift = { named: [], unnamed: [] };
  const after = nextStatus({ ...OBJECT, status }, ready(1, { drift }), "2026-01-02T00:00:00Z");
  assertEquals([after.drift, types({ ...OBJECT, status: after })], [
    undefined,
    ["Ready=True", "DatabaseReachable=True"],
  ]);
});

Deno.test("nextStatus() keeps what was said of drift while nobody can look", () => {
  const reported = { finding: { kind: "Drifted", message: "column note is missing" }, drift: NAMED } as const;
  const status = nextStatus(OBJECT, reported, "2026-01-01T00:00:00Z");
  assertEquals(types({ ...OBJECT, status }), ["Ready=False", "Drifted=True"]);
  const finding = { kind: "Failing", reason: "DatabaseUnreachable", message: "", databaseReachable: false } as const;
  const down = nextStatus({ ...OBJECT, status }, { finding }, "2026-01-02T00:00:00Z");
  assertEquals(down.drift, NAMED.named);
  assertEquals(down.conditions?.some(({ type }) => type === "Drifted"), true);
});

Deno.test("nextStatus() says Unknown of an object that is suspended", () => {
  const before = nextStatus(OBJECT, ready(1, { drift: UNNAMED }), "2026-01-01T00:00:00Z");
  const report = { finding: { kind: "Suspended" }, drift: { named: [], unnamed: [] } } as const;
  const status = nextStatus({ ...OBJECT, status: before }, report, "2026-01-02T00:00:00Z");
  assertEquals(types({ ...OBJECT, status }), ["Ready=Unknown"]);
});

Deno.test("nextStatus() remembers the applied spec and the last ten things that ran", () => {
  let object = OBJECT;
  for (let minute = 10; minute < 22; minute++) {
    const ran = { change: "Altered", statements: [`ALTER ${minute}`, "x".repeat(300)] } as const;
    object = { ...object, status: nextStatus(object, ready(1, { ran }), `2026-01-01T00:${minute}:00Z`) };
  }
  const { applied, history = [] } = object.status ?? {};
  assertEquals(applied, { hash: "abc", time: "2026-01-01T00:21:00Z" });
  assertEquals([history.length, history[0]?.time, history[9]?.statements], [10, "2026-01-01T00:12:00Z", 2]);
  assertEquals([history[9]?.sql?.length, history[9]?.sql?.startsWith("ALTER 21; x")], [256, true]);
  assertEquals(nextStatus(object, ready(1), "2026-01-03T00:00:00Z"), object.status);
});

Deno.test("isReached() believes a status that speaks of this generation and this very spec only", () => {
  const status = nextStatus(OBJECT, ready(1), "2026-01-01T00:00:00Z");
  const reached = { ...OBJECT, status };
  assertEquals([isReached(reached, "abc"), isReached(reached, "abd"), isReached(OBJECT, "abc")], [true, false, false]);
  assertEquals(isReached({ ...reached, metadata: { ...OBJECT.metadata, generation: 4 } }, "abc"), false);
});
