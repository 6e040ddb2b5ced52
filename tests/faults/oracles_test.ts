import { assertEquals } from "@std/assert";
import type { DdlEntry } from "./ddl_journal.ts";
import { catalogFaults, expectedParts, type PlanSpec } from "./oracles/catalog_parts.ts";
import { liesOf } from "./oracles/honesty.ts";
import { interleavings, multisetFaults, unwantedDestruction } from "./oracles/journals.ts";
import { leaks } from "./oracles/leaks.ts";
import { type Intent, intentOf } from "./user_intents.ts";
import { compareOutcomes, type Outcome } from "./verdict.ts";

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

Deno.test("runs are compared in all that they did and left", () => {
  const reference: Outcome = { endState: ["a"], ddl: ["b"], objects: ["c"] };
  assertEquals(compareOutcomes(reference, reference), []);
  assertEquals(compareOutcomes(reference, { endState: [], ddl: ["b", "b"], objects: [] }), [
    "end state: missing: a",
    "DDL: not in the reference: b",
    "objects: missing: c",
  ]);
});
