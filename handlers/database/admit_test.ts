import { assertEquals } from "@std/assert";
import { formatFieldError } from "../../crds/field_error.ts";
import { judgeDatabase } from "./admit.ts";

const POSTGRES = { type: "postgres", storage: { size: "10Gi" } };

function faults(spec: unknown, oldSpec?: unknown): readonly string[] {
  const oldObject = oldSpec === undefined ? undefined : { metadata: {}, spec: oldSpec };
  return judgeDatabase({ metadata: {}, spec }, oldObject, "db").errors.map(formatFieldError);
}

Deno.test("judgeDatabase() allows each known type", () => {
  for (const type of ["mongo", "mysql", "postgres"]) assertEquals(faults({ type }), []);
});

Deno.test("judgeDatabase() denies a missing, an unknown and a changed type", () => {
  assertEquals(faults({}), ["spec.type: must be one of mongo, mysql, postgres"]);
  assertEquals(faults(undefined), ["spec.type: must be one of mongo, mysql, postgres"]);
  assertEquals(faults({ type: "oracle" }), ['spec.type: "oracle" is not one of "mongo", "mysql", "postgres"']);
  assertEquals(faults({ type: "mysql" }, { type: "mongo" }), [
    'spec.type: is immutable: it is "mongo"; create another Database to use "mysql"',
  ]);
});

Deno.test("judgeDatabase() lets an update pass that leaves an old fault as it was", () => {
  assertEquals(faults({ type: "oracle" }, { type: "oracle" }), []);
});

Deno.test("judgeDatabase() denies a changed type also beside a fault that was there before", () => {
  const immutable = 'spec.type: is immutable: it is "mongo"; create another Database to use "mysql"';
  assertEquals(faults({ type: "mysql", x: 1 }, { type: "mongo", x: 1 }), [immutable]);
  assertEquals(faults({ type: "mysql" }, { type: "mongo", x: 1 }), [immutable]);
  assertEquals(faults({ type: "mysql", y: 1 }, { type: "mongo", x: 1 }), [
    faults({ type: "mysql", y: 1 })[0] ?? "",
    immutable,
  ]);
  assertEquals(faults({ x: 1 }, { type: "mongo", x: 1 }), ["spec.type: must be one of mongo, mysql, postgres"]);
});

Deno.test("judgeDatabase() lets a type that nobody knows be corrected", () => {
  assertEquals(faults({ type: "mysql" }, { type: "oracle" }), []);
});

Deno.test("judgeDatabase() denies a name that a Service cannot have", () => {
  const named = (name: string) => judgeDatabase({ metadata: {}, spec: POSTGRES }, undefined, name).errors.length;
  assertEquals(["db", "my-db2", "a".repeat(63)].map(named), [0, 0, 0]);
  assertEquals(["my.db", "2db", "db-", "a".repeat(64), "DB"].map(named), [1, 1, 1, 1, 1]);
});

Deno.test("judgeDatabase() denies a smaller volume, another class and no volume, and lets it grow", () => {
  const storage = (fields: unknown) => ({ type: "postgres", storage: fields });
  assertEquals(faults(storage({ size: "20Gi" }), POSTGRES), []);
  assertEquals(faults(storage({ size: "10240Mi" }), POSTGRES), []);
  assertEquals(faults(storage({ size: "9Gi" }), POSTGRES), [
    "spec.storage.size: cannot shrink from 10Gi to 9Gi: a volume only grows",
  ]);
  assertEquals(faults(storage({ size: "10Gi", storageClassName: "fast" }), POSTGRES), [
    "spec.storage.storageClassName: is immutable",
  ]);
  assertEquals(faults({ type: "postgres" }, POSTGRES), [
    "spec.storage: cannot be removed: the data is on the volume; create another Database instead",
  ]);
  assertEquals(faults(POSTGRES, { type: "postgres" }), []);
});

Deno.test("judgeDatabase() denies another major version and a downgrade, unless somebody moves the data", () => {
  const version = (text: unknown, major?: string) => ({
    type: "postgres",
    version: text,
    ...(major === undefined ? {} : { upgradePolicy: { major } }),
  });
  assertEquals(faults(version("17.5"), version("17.2")), []);
  assertEquals(faults(version("18"), version("17")).length, 1);
  assertEquals(faults(version("17.1"), version("17.2")), [
    "spec.version: 17.2 to 17.1 is a downgrade: set upgradePolicy.major: Manual if you move the data yourself",
  ]);
  assertEquals(faults(version(18, "Manual"), version("17")), []);
  assertEquals(faults(version("18.x")).length, 1);
  assertEquals(faults({ type: "mysql", version: "8.4" }, { type: "mysql" }).length, 1);
});

Deno.test("judgeDatabase() denies a rotation where none can be done, and another login", () => {
  const at = "2026-01-31T12:00:00Z";
  assertEquals(faults({ type: "postgres", auth: { rotateRequestedAt: at } }), []);
  assertEquals(faults({ type: "postgres", auth: { rotateRequestedAt: "now" } }), [
    "spec.auth.rotateRequestedAt: must be a time such as 2026-01-31T12:00:00Z",
  ]);
  assertEquals(faults({ type: "mysql", auth: { rotateRequestedAt: at } }), [
    "spec.auth.rotateRequestedAt: cannot be done for mysql: its image reads the password at the first start only",
  ]);
  assertEquals(faults({ type: "postgres", auth: { rotateRequestedAt: at, secretRef: { name: "mine" } } }), [
    "spec.auth.rotateRequestedAt: cannot be done with auth.secretRef: that Secret is yours and is never written",
  ]);
  assertEquals(faults({ type: "postgres", auth: { username: "joe" } }, { type: "postgres" }), [
    "spec.auth.username: is immutable: the server reads it at its first start only",
  ]);
  assertEquals(faults({ type: "postgres", auth: { username: "app" } }, { type: "postgres" }), []);
});

Deno.test("judgeDatabase() denies labels that are not the user's, and values that YAML changed", () => {
  assertEquals(faults({ type: "mysql", podLabels: { app: "x", "app.kubernetes.io/name": "x", team: 1 } }), [
    "spec.podLabels.team: must be a string (quote it): current value is 1",
  ]);
  assertEquals(faults({ type: "mysql", podLabels: { app: "x", team: "a b" } }), [
    "spec.podLabels.app: is set by the operator",
    "spec.podLabels.team: is no label value: at most 63 letters, digits, dots, dashes and underscores",
  ]);
});

Deno.test("judgeDatabase() warns of data without a volume and of a server without a memory limit", () => {
  const warnings = (spec: unknown) => judgeDatabase({ metadata: {}, spec }, undefined, "db").warnings;
  assertEquals(warnings({ type: "mongo" }), [
    "spec.storage is absent: the data is lost whenever the Pod is replaced",
  ]);
  assertEquals(warnings({ ...POSTGRES, resources: { limits: { cpu: "1" } } }), [
    "spec.resources has no memory limit: the server may take what others on its node need",
  ]);
  assertEquals(warnings({ ...POSTGRES, resources: { limits: { memory: "1Gi" } } }), []);
});
