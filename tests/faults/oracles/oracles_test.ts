import { assertEquals } from "@std/assert";
import type { DdlEntry } from "../ddl_journal.ts";
import { catalogFaults, expectedParts, type PlanSpec } from "./catalog_parts.ts";
import { configurationLines, configurationsLeft } from "./configurations.ts";
import { claimOf, liesOf, statusAfter } from "./honesty.ts";
import { interleavings, multisetFaults, unwantedDestruction } from "./journals.ts";
import { isSecret, leaks, passwordsIn } from "./leaks.ts";
import { stuckObjects } from "./leftovers.ts";
import { objectLines } from "./object_effects.ts";
import { type SeenPod, serverLies } from "./server_honesty.ts";
import { type Intent, intentOf } from "../user_intents.ts";
import { compareOutcomes, type Outcome } from "../verdict.ts";

const ORDERS: PlanSpec = {
  tableName: "Orders",
  columns: [{ ID: "integer" }, { NOTE: { type: "text", notNull: true, references: { table: "notes", column: "ID" } } }],
  primaryKey: "ID",
  uniqueConstraints: [{ columns: ["NOTE"] }],
  checks: [{ name: "positive", expression: "ID > 0" }],
  indexes: [{ name: "by_note", columns: ["NOTE"] }],
};
const PARTS = [
  "column id integer not null",
  "column note text not null",
  "PRIMARY KEY (id)",
  "FOREIGN KEY (note) REFERENCES notes(id)",
  "UNIQUE (note)",
  "check positive",
  "index by_note",
];

let number = 0;

function entry(tag: string, identity: string, more: Partial<DdlEntry> = {}): DdlEntry {
  const id = ++number;
  return { id, txid: `${id}`, at: 1_000, tag, identity, applicationName: "a", pid: 1, role: "r", ...more };
}

function intent(verb: Intent["verb"], at: number, columns?: readonly string[]): Intent {
  const spec = { tableName: "Orders", columns: (columns ?? []).map((name) => ({ [name]: "text" })) };
  return { verb, resource: "databasetables", name: "o", at, ...(columns === undefined ? {} : { spec }) };
}

Deno.test("the catalog oracle knows every part of a spec, and misses each of them", () => {
  assertEquals(expectedParts(ORDERS), PARTS);
  assertEquals(catalogFaults(ORDERS, PARTS), []);
  for (const part of PARTS) {
    assertEquals(catalogFaults(ORDERS, PARTS.filter((each) => each !== part)), [`missing: ${part}`]);
  }
});

Deno.test("the catalog oracle takes nothing unfinished for finished", () => {
  assertEquals(catalogFaults(ORDERS, [...PARTS.filter((part) => part !== "index by_note"), "index by_note INVALID"]), [
    "missing: index by_note",
    "unfinished: index by_note INVALID",
  ]);
});

Deno.test("a status lies if it claims a generation whose table is not there, and only then", () => {
  const claim = (status: string, generation: number) => ({
    observedGeneration: generation,
    conditions: [{ type: "Ready", status, observedGeneration: generation }],
  });
  const object = { generation: 2, spec: ORDERS };
  assertEquals(liesOf(claim("True", 2), object, PARTS.slice(1)).length, 1);
  assertEquals(liesOf(claim("True", 2), object, PARTS), []);
  assertEquals(liesOf(claim("False", 2), object, []), []);
  assertEquals(liesOf(claim("True", 1), object, []), []);
});

Deno.test("a status is a patch: what it leaves out stands in the stored one, and is claimed too", () => {
  const path = "/apis/kopf.demo/v1/namespaces/n/databasetables/o/status";
  const conditions = [{ type: "Ready", status: "True", observedGeneration: 2 }];
  const claim = claimOf({ path, body: JSON.stringify({ status: { conditions } }) });
  assertEquals([claim?.type.kind, claim?.name], ["DatabaseTable", "o"]);
  const after = statusAfter({ observedGeneration: 2, conditions: [] }, claim?.status ?? {});
  assertEquals(liesOf(after, { generation: 2, spec: ORDERS }, []).length > 0, true);
  assertEquals(claimOf({ path: path.replace("/status", ""), body: "{}" }), undefined);
  assertEquals(
    claimOf({ path: path.replace("databasetables", "databases"), body: '{"status":{}}' })?.type.kind,
    "Database",
  );
});

Deno.test("a Database lies if it is Ready and its Pod is not, is going, is gone, or is of another version", () => {
  const claim = { observedGeneration: 1, conditions: [{ type: "Ready", status: "True", observedGeneration: 1 }] };
  const object = { name: "db", generation: 1, spec: { version: "18.2" } };
  const pod = (image: string, ready: string): SeenPod => ({
    metadata: {},
    spec: { containers: [{ image }] },
    status: { conditions: [{ type: "Ready", status: ready }] },
  });
  const good = pod("postgres:18.2", "True");
  assertEquals(serverLies(claim, object, good), []);
  assertEquals(serverLies({ ...claim, observedGeneration: 0 }, object, undefined), []);
  const going = { ...good, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  for (const bad of [undefined, going, pod("postgres:18.2", "False"), pod("postgres:18.1", "True")]) {
    assertEquals(serverLies(claim, object, bad).length, 1);
  }
});

Deno.test("an object that was made and one that was deleted count once for each time, whatever was refused", () => {
  const write = (method: string, path: string, status: number) => ({ method, path, status, isWatch: false, body: "" });
  const base = "/api/v1/namespaces/n";
  assertEquals(
    objectLines([
      write("PATCH", `${base}/pods/db`, 201),
      write("PATCH", `${base}/pods/db`, 200),
      write("PATCH", `${base}/pods/db`, 201),
      write("DELETE", `${base}/pods/db`, 200),
      write("DELETE", `${base}/pods/db`, 409),
      write("POST", "/apis/events.k8s.io/v1/namespaces/n/events", 201),
    ]),
    ["create pods/db", "create pods/db", "delete pods/db"],
  );
});

Deno.test("what ran twice, or not at all, differs from the reference", () => {
  assertEquals(multisetFaults(["a", "a", "b"], ["a", "b", "b"]), ["missing: a", "not in the reference: b"]);
  assertEquals(multisetFaults(["a", "b"], ["b", "a"]), []);
});

Deno.test("a table that is dropped before anybody deletes its object is destroyed without an intent", () => {
  const journal = [entry("DROPPED table", "public.orders")];
  const made = intent("create", 1, ["ID"]);
  assertEquals(unwantedDestruction(journal, [made]).length, 1);
  assertEquals(unwantedDestruction(journal, [made, intent("delete", 2_000)]).length, 1);
  assertEquals(unwantedDestruction(journal, [made, intent("delete", 500)]), []);
  const other = { ...intent("delete", 500), name: "another" };
  assertEquals(unwantedDestruction(journal, [made, other]).length, 1);
});

Deno.test("a column that the spec of that time names is destroyed without an intent", () => {
  const journal = [entry("DROPPED table column", "public.orders.note")];
  const both = intent("create", 1, ["ID", "NOTE"]);
  assertEquals(unwantedDestruction(journal, [both]).length, 1);
  assertEquals(unwantedDestruction(journal, [both, intent("patch", 2_000, ["ID"])]).length, 1);
  assertEquals(unwantedDestruction(journal, [both, intent("patch", 500, ["ID"])]), []);
  assertEquals(unwantedDestruction([entry("DROPPED table", "tablewright.helper")], []), []);
});

Deno.test("what the API server refused, and a status, is no intent", () => {
  const event = {
    verb: "delete",
    requestReceivedTimestamp: "2026-01-01T00:00:00Z",
    objectRef: { resource: "databasetables", name: "o" },
    responseStatus: { code: 200 },
  };
  assertEquals(intentOf(event)?.verb, "delete");
  assertEquals(intentOf({ ...event, responseStatus: { code: 403 } }), undefined);
  assertEquals(intentOf({ ...event, objectRef: { ...event.objectRef, subresource: "status" } }), undefined);
});

Deno.test("writers that alternate more often than the leadership changes hands interleave", () => {
  const journal = [1, 2, 1].map((pid) => entry("ALTER TABLE", "public.orders", { pid }));
  const writerOf = (pid: number) => `replica ${pid}`;
  assertEquals(interleavings(journal, writerOf, 1).length, 1);
  assertEquals(interleavings(journal, writerOf, 2), []);
});

Deno.test("DDL within a transaction of another writer interleaves, whatever the hand-overs", () => {
  const journal = [[1, "7"], [2, "8"], [1, "7"]].map(([pid, txid]) =>
    entry("ALTER TABLE", "public.orders", { pid: Number(pid), txid: String(txid) })
  );
  assertEquals(interleavings(journal, (pid) => `replica ${pid}`, 9).length, 1);
});

Deno.test("a canary in a log is a leak, and is not repeated", () => {
  const found = leaks([{ where: "a log", text: "password=hunter2" }, { where: "b", text: "" }], ["x", "hunter2"]);
  assertEquals(found, ["canary 2 stands in a log"]);
});

Deno.test("every password that was written into a Secret is looked for elsewhere", () => {
  const path = "/api/v1/namespaces/n/secrets/db-credentials";
  const body = JSON.stringify({
    data: { "next-password": btoa("second"), host: btoa("db") },
    stringData: { password: "first" },
  });
  assertEquals(passwordsIn([{ path, body }, { path: "/api/v1/namespaces/n/pods/db", body: "{}" }]), [
    "second",
    "first",
  ]);
  assertEquals([isSecret(path), isSecret("/api/v1/namespaces/n/pods/secrets-of-nobody")], [true, false]);
});

Deno.test("an object that nobody lets go, and a webhook that leads to nobody, are left over", () => {
  const metadata = { name: "o", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const object = { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata };
  const going = { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["kopf.demo/tablewright"] };
  assertEquals(stuckObjects([object]), []);
  assertEquals(stuckObjects([{ ...object, metadata: going }]), [
    "DatabaseTable o is deleted and waits for kopf.demo/tablewright",
  ]);
  const webhooks = [{ name: "validate", failurePolicy: "Ignore" }];
  const configuration = { kind: "ValidatingWebhookConfiguration", metadata: { name: "i" }, webhooks };
  assertEquals(configurationsLeft([configuration]), ["ValidatingWebhookConfiguration i"]);
  assertEquals(configurationLines([configuration]), ["ValidatingWebhookConfiguration: validate Ignore"]);
});

Deno.test("runs are compared in all that they did and left", () => {
  const reference: Outcome = { endState: ["a"], ddl: ["b"], objects: ["c"] };
  assertEquals(compareOutcomes(reference, reference), []);
  assertEquals(compareOutcomes(reference, { endState: [], ddl: ["b", "b"], objects: [] }), [
    "end state: missing: a",
    "DDL: not in the reference: b",
    "objects: missing: c",
  ]);
});
