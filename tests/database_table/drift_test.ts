import { assertEquals, assertStringIncludes } from "@std/assert";
import { operatorWrites } from "../harness/audit_log.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("drift", { config: { sweepIntervalMs: 3_000 } });
const { kubectl, namespace, testbed } = operator;
const objects = new TableObjects(operator);

interface Status {
  readonly message?: string;
  readonly drift?: readonly Record<string, string>[];
  readonly applied?: { readonly hash: string };
  readonly history?: readonly { readonly change: string; readonly sql?: string; readonly statements?: number }[];
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
}

const COLUMNS = [{ ID: "integer" }, { NOTE: "varchar(20)" }, { KIND: { type: "text", default: "x" } }];

async function statusOf(name: string): Promise<Status> {
  return ((await kubectl.get("databasetable", name)) as { status?: Status } | undefined)?.status ?? {};
}

async function writesOf(name: string): Promise<number> {
  return (await operatorWrites(testbed, { namespace, name })).length;
}

/** `Reason: note` of the events of an object, in no order. */
async function eventsOf(name: string): Promise<readonly string[]> {
  const list = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"])) as {
    items: { regarding: { name: string }; reason: string; note: string }[];
  };
  return list.items.filter(({ regarding }) => regarding.name === name).map(({ reason, note }) => `${reason}: ${note}`);
}

async function fingerprintOf(table: string): Promise<unknown> {
  const [row] = await operator.sql(
    `SELECT fingerprint::text AS fingerprint FROM tablewright.owned_table WHERE table_name = '${table}'`,
  );
  return row?.["fingerprint"];
}

/** Runs SQL and waits until a sweep has made up the registry's mind about each of these tables. */
async function untilSwept(tables: readonly string[], change: string): Promise<void> {
  const before = new Map<string, unknown>();
  for (const table of tables) before.set(table, await fingerprintOf(table));
  await operator.sql(change);
  for (const table of tables) {
    await eventually(`${table} was swept`, async () => await fingerprintOf(table) !== before.get(table));
  }
}

Deno.test("every object of this file becomes Ready with one write, and says what was applied", async () => {
  const action = (name: string) => ({ columns: COLUMNS, drift: { action: name } });
  await Promise.all([
    objects.applied("corrected", { columns: COLUMNS }),
    objects.applied("dropped", { columns: COLUMNS }),
    objects.applied("renamed", { columns: COLUMNS }),
    objects.applied("refused", { columns: COLUMNS }),
    objects.applied("extended", { columns: COLUMNS }),
    objects.applied("touched", { columns: COLUMNS }),
    objects.applied("reported", action("Report")),
    objects.applied("reported-gone", action("Report")),
    objects.applied("ignored", action("Ignore")),
  ]);
  assertEquals(await writesOf("corrected"), 1);
  const { applied, history, drift } = await statusOf("corrected");
  assertEquals([applied?.hash.length, drift, history?.length], [64, undefined, 1]);
  assertEquals([history?.[0]?.change, history?.[0]?.statements], ["Created", 1]);
  assertStringIncludes(history?.[0]?.sql ?? "", 'CREATE TABLE "public"."corrected"');
  const shown = await kubectl.ok(["get", "databasetable", "corrected"]);
  assertStringIncludes(shown.split("\n")[0] ?? "", "DATABASE");
  assertStringIncludes(shown, "tw_drift");
});

Deno.test("one sweep finds what was changed by hand: corrected, refused, reported, ignored", async () => {
  const before = await statusOf("ignored");
  await operator.sql("INSERT INTO corrected (id, note) VALUES (1, 'secret-row')");
  const changes = [
    "ALTER TABLE corrected DROP COLUMN kind",
    "ALTER TABLE corrected ALTER COLUMN note SET NOT NULL",
    "DROP TABLE dropped",
    "ALTER TABLE renamed RENAME TO by_hand",
    "ALTER TABLE refused ALTER COLUMN note TYPE text",
    "ALTER TABLE extended ADD COLUMN extra integer",
    "CREATE INDEX extended_by_hand ON extended (note)",
    "ALTER TABLE reported ALTER COLUMN kind DROP DEFAULT",
    "DROP TABLE reported_gone",
    "ALTER TABLE ignored ALTER COLUMN kind DROP DEFAULT",
  ];
  // All at once: one sweep sees all of them.
  await operator.sql(changes.join("; "));
  await untilSwept(["touched", "ignored"], "GRANT SELECT ON touched TO PUBLIC; REVOKE ALL ON ignored FROM PUBLIC");

  await eventually("the column is back", async () => (await columnsOf(operator, "corrected")).length === 3);
  await condition(operator, "extended", { type: "Drifted", status: "True", reason: "NotInSpec" });
  await condition(operator, "reported", { type: "Drifted", status: "True", reason: "ChangedByHand" });
  await condition(operator, "reported-gone", { type: "Drifted", status: "True", reason: "ChangedByHand" });
  await condition(operator, "refused", { type: "Drifted", status: "True", reason: "CorrectionRefused" });
  await eventually("the table is back", async () => (await columnsOf(operator, "dropped")).length === 3);
  await eventually("the table has its name", async () => (await columnsOf(operator, "renamed")).length === 3);
  for (const name of ["corrected", "dropped", "renamed", "extended", "touched", "ignored"]) await objects.ready(name);

  assertEquals(await columnsOf(operator, "corrected"), [
    "id integer not null",
    "note character varying(20)",
    "kind text default 'x'::text",
  ]);
  assertEquals(await columnsOf(operator, "extended"), [...await columnsOf(operator, "dropped"), "extra integer"]);
  assertEquals((await columnsOf(operator, "reported"))[2], "kind text");
  assertEquals((await columnsOf(operator, "ignored"))[2], "kind text");
  assertEquals(await columnsOf(operator, "reported_gone"), []);
  assertEquals(await operator.sql("SELECT id, note FROM corrected"), [{ id: 1, note: "secret-row" }]);
  assertEquals(await statusOf("ignored"), before);
});

Deno.test("the status says what is otherwise, as SQL", async () => {
  assertEquals((await statusOf("reported")).drift, [
    { kind: "Column", name: "kind", expected: `"kind" text DEFAULT 'x'`, found: '"kind" text' },
  ]);
  assertEquals((await statusOf("extended")).drift, [
    { kind: "Column", name: "extra", found: "integer" },
    { kind: "Index", name: "extended_by_hand", found: "index" },
  ]);
  assertEquals((await statusOf("refused")).drift, [
    { kind: "Column", name: "note", expected: '"note" character varying(20)', found: '"note" text' },
  ]);
  assertEquals((await statusOf("reported-gone")).drift, [
    { kind: "Table", name: "public.reported_gone", expected: '"public"."reported_gone"' },
  ]);
  assertStringIncludes((await statusOf("refused")).message ?? "", "cannot change from text to character varying(20)");
  const reasons = (await statusOf("refused")).conditions?.map(({ type, status }) => `${type}=${status}`);
  assertEquals(reasons?.toSorted(), ["Drifted=True", "Ready=False", "Stalled=True"]);
  // It was Ready before, and is while it is corrected.
  await eventually("the correction is told", async () => (await statusOf("corrected")).history?.length === 2);
  assertEquals((await statusOf("corrected")).history?.map(({ change }) => change), ["Created", "Corrected"]);
  assertEquals((await statusOf("corrected")).drift, undefined);
});

Deno.test("an event tells of each drift and each correction once, and nobody tells a row value", async () => {
  const events = await eventually("the events are there", async () => {
    const found = await eventsOf("corrected");
    return ["Corrected", "Drifted"].every((reason) => found.some((event) => event.startsWith(reason))) && found;
  });
  await eventually("the drift of the other one is told", async () => {
    return (await eventsOf("extended")).some((event) => event.startsWith("Drifted"));
  });
  assertEquals(events.filter((event) => event.startsWith("Drifted")).length, 1);
  assertStringIncludes(events.join("\n"), "column kind is missing");
  const corrections = events.filter((event) => event.startsWith("Corrected"));
  assertEquals(corrections.length, 1);
  assertStringIncludes(corrections[0] ?? "", 'ADD COLUMN "kind"');
  assertEquals((await eventsOf("extended")).filter((event) => event.startsWith("Drifted")).length, 1);
  assertEquals((await eventsOf("touched")).some((event) => /Drifted|Corrected|Altered/.test(event)), false);
  assertEquals((await eventsOf("ignored")).some((event) => /Drifted|Corrected|Altered/.test(event)), false);
  assertEquals((await objects.everythingSaid()).includes("secret-row"), false);
});

Deno.test("what was told is not told again by the next sweep, nor written", async () => {
  const names = ["extended", "reported", "reported-gone", "refused", "touched", "ignored"];
  const writes = await Promise.all(names.map(writesOf));
  // What is told has its new fingerprint by the second sweep at the latest.
  await untilSwept(["extended", "reported"], "GRANT SELECT ON extended, reported TO PUBLIC");
  assertEquals(await Promise.all(names.map(writesOf)), writes);
  assertEquals((await eventsOf("extended")).filter((event) => event.startsWith("Drifted")).length, 1);
  assertEquals(writes, [2, 2, 2, 2, 1, 1]);
});

Deno.test("what was put right by hand is no drift any more, and a new spec is applied whole", async () => {
  await operator.sql("ALTER TABLE extended DROP COLUMN extra");
  await operator.sql("DROP INDEX extended_by_hand");
  await objects.applied("reported", { columns: [...COLUMNS, { MORE: "integer" }], drift: { action: "Report" } });
  assertEquals(await columnsOf(operator, "reported"), [
    "id integer not null",
    "note character varying(20)",
    "kind text default 'x'::text",
    "more integer",
  ]);
  assertEquals((await statusOf("reported")).drift, undefined);
  await objects.applied("refused", { columns: [{ ID: "integer" }, { NOTE: "text" }, ...COLUMNS.slice(2)] });
  assertEquals((await statusOf("refused")).drift, undefined);
  await eventually("the drift is gone", async () => (await statusOf("extended")).drift === undefined);
  await objects.ready("extended");
});

Deno.test("Report becomes Correct: what drifted is put right", async () => {
  await objects.applied("reported-gone", { columns: COLUMNS });
  assertEquals((await columnsOf(operator, "reported_gone")).length, 3);
  assertEquals((await statusOf("reported-gone")).history?.map(({ change }) => change), ["Created", "Corrected"]);
});

Deno.test("after a restore on another server the next sweep binds tables that are as they should be by name, and writes no object", async () => {
  const writes = await Promise.all(["extended", "corrected"].map(writesOf));
  await operator.sql("UPDATE tablewright.epoch SET system_identifier = 1");
  await eventually("the tables are bound again", async () => {
    const [row] = await operator.sql(
      `SELECT count(*) FILTER (WHERE t.oid IS NULL OR t.oid <> to_regclass('public.' || t.table_name))::int AS unbound,
         (SELECT system_identifier = 1 FROM tablewright.epoch) AS old
       FROM tablewright.owned_table AS t WHERE t.table_name IN ('extended', 'corrected', 'touched')`,
    );
    return row?.["old"] === false && row["unbound"] === 0;
  });
  assertEquals(await Promise.all(["extended", "corrected"].map(writesOf)), writes);
});

Deno.test("the operator stops in order", () => operator.close());
