import { assertEquals } from "@std/assert";
import { formatFieldError } from "../../crds/field_error.ts";
import type { AdmissionRequest } from "../admission_review.ts";
import { admitDatabase } from "./admit.ts";

function faults(spec: unknown, oldSpec?: unknown): readonly string[] {
  const request: AdmissionRequest = {
    uid: "u",
    operation: oldSpec === undefined ? "CREATE" : "UPDATE",
    resource: { group: "zalando.org", version: "v1", resource: "databases" },
    kind: "Database",
    namespace: "default",
    name: "db",
    object: { metadata: {}, spec },
    oldObject: oldSpec === undefined ? undefined : { metadata: {}, spec: oldSpec },
    dryRun: false,
  };
  const verdict = admitDatabase(request);
  return verdict.kind === "allowed" ? [] : verdict.errors.map(formatFieldError);
}

Deno.test("admitDatabase() allows each known type", () => {
  for (const type of ["mongo", "mysql", "postgres"]) assertEquals(faults({ type }), []);
});

Deno.test("admitDatabase() denies a missing, an unknown and a changed type", () => {
  assertEquals(faults({}), ["spec.type: must be one of mongo, mysql, postgres"]);
  assertEquals(faults(undefined), ["spec.type: must be one of mongo, mysql, postgres"]);
  assertEquals(faults({ type: "oracle" }), ['spec.type: "oracle" is not one of "mongo", "mysql", "postgres"']);
  assertEquals(faults({ type: "mysql" }, { type: "mongo" }), [
    'spec.type: is immutable: it is "mongo"; create another Database to use "mysql"',
  ]);
});

Deno.test("admitDatabase() lets an update pass that leaves an old fault as it was", () => {
  assertEquals(faults({ type: "oracle" }, { type: "oracle" }), []);
});

Deno.test("admitDatabase() denies a changed type also beside a fault that was there before", () => {
  const immutable = 'spec.type: is immutable: it is "mongo"; create another Database to use "mysql"';
  assertEquals(faults({ type: "mysql", x: 1 }, { type: "mongo", x: 1 }), [immutable]);
  assertEquals(faults({ type: "mysql" }, { type: "mongo", x: 1 }), [immutable]);
  assertEquals(faults({ type: "mysql", y: 1 }, { type: "mongo", x: 1 }), [
    "spec.y: unknown field; known are type",
    immutable,
  ]);
  assertEquals(faults({ x: 1 }, { type: "mongo", x: 1 }), ["spec.type: must be one of mongo, mysql, postgres"]);
});

Deno.test("admitDatabase() lets a type that nobody knows be corrected", () => {
  assertEquals(faults({ type: "mysql" }, { type: "oracle" }), []);
});
