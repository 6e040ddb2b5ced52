import { assertEquals } from "@std/assert";
import { invalid } from "../../../crds/field_error.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import { exitCodeOf, formatJson, formatText } from "./format.ts";
import type { Outcome, PlannedManifest } from "./planned.ts";

const STATEMENT: Statement = {
  sql: 'ALTER TABLE "public"."a" DROP COLUMN "b"',
  locks: [{ table: "public.a", mode: "ACCESS EXCLUSIVE" }],
  rewrites: false,
  rebuildsIndexes: false,
  destructive: true,
  concurrent: false,
  hazards: ["DropsData", "BreaksReaders"],
};

function planned(outcome: Outcome, notes: readonly string[] = []): PlannedManifest {
  return { manifest: { source: "a.yaml", namespace: "default", name: "a" }, table: "public.a", outcome, notes };
}

Deno.test("formatText() prints statements as SQL and everything else as comments", () => {
  const changes = planned({ kind: "changes", statements: [STATEMENT], waiting: [] }, ["two\nlines"]);
  assertEquals(formatText([changes, planned({ kind: "nothing" })]).split("\n"), [
    "-- default/a: table public.a: 1 statement",
    "-- note: two lines",
    'ALTER TABLE "public"."a" DROP COLUMN "b";',
    "--   ACCESS EXCLUSIVE lock on public.a",
    "--   hazards: DropsData, BreaksReaders",
    "",
    "-- default/a: table public.a: nothing to do",
  ]);
});

Deno.test("formatText() and formatJson() say that a plan waits for a person, and how to approve it", () => {
  const changes = planned({
    kind: "changes",
    statements: [STATEMENT],
    waiting: [],
    approval: { hash: "0123456789ab" },
  });
  assertEquals(formatText([changes]).split("\n").slice(0, 2), [
    "-- default/a: table public.a: 1 statement, after an approval",
    "-- note: plan 0123456789ab waits for approval: kubectl annotate --overwrite databasetable a kopf.demo/approve-plan=0123456789ab",
  ]);
  assertEquals(JSON.parse(formatJson([changes])).tables[0].approval, { hash: "0123456789ab" });
});

Deno.test("formatText() prints every fault with its field path", () => {
  const text = formatText([planned({ kind: "refused", faults: [invalid("spec.columns[0].A", "is wrong")] })]);
  assertEquals(text.split("\n"), ["-- default/a: table public.a: refused", "--   spec.columns[0].A: is wrong"]);
});

Deno.test("formatJson() has one entry an object, with its result", () => {
  const { tables } = JSON.parse(formatJson([planned({ kind: "unknown", reason: "down" })]));
  assertEquals(tables, [{
    source: "a.yaml",
    namespace: "default",
    name: "a",
    table: "public.a",
    result: "unknown",
    reason: "down",
    notes: [],
  }]);
});

Deno.test("exitCodeOf() is that of the worst object", () => {
  const [nothing, changes, refused, unknown] = [
    planned({ kind: "nothing" }),
    planned({ kind: "changes", statements: [], waiting: [] }),
    planned({ kind: "refused", faults: [] }),
    planned({ kind: "unknown", reason: "" }),
  ];
  assertEquals(
    [[], [nothing], [nothing, changes], [refused, changes], [refused, unknown]].map(exitCodeOf),
    [0, 0, 2, 3, 1],
  );
});
