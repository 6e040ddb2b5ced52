import { assertEquals } from "@std/assert";
import type { CatalogColumn, Relation } from "../../../postgres/catalog/relation.ts";
import { emptyRelation } from "../../../postgres/catalog/relation.ts";
import { planSituation, type WantedTable } from "../../../postgres/plan/planning.ts";
import type { OwnedTable } from "../../../postgres/registry/registry.ts";
import { judgeSituation, type Situation } from "../../../postgres/situation/situation.ts";
import { describeDrift, type Drift, driftEntries, driftOf, saysTableMissing } from "./drift.ts";
import { wantedTable } from "../verdict/judge.ts";
import { PlanJudge } from "../verdict/plan_judge.ts";
import { understandSpec } from "../spec/understand.ts";

const SPEC = {
  tableName: "t",
  columns: [{ id: "integer" }, { note: { type: "text", default: "x" } }, { size: "integer" }],
  primaryKey: "id",
  checks: [{ name: "positive", expression: "size > 0" }],
  indexes: [{ name: "by_note", columns: ["note"] }],
};

const OWNER = { clusterId: "c", namespace: "n", name: "a", uid: "u", generation: 1 };
const ROW: OwnedTable = {
  id: "1",
  schema: "public",
  table: "t",
  oid: 7,
  owner: OWNER,
  specHash: "abc",
  origin: "created",
  members: { column: ["id", "note", "size"], constraint: ["t_pkey", "positive"], index: ["by_note"] },
  expressions: { "default/note": ["'x'", "'x'::text"], "check/positive": ["size > 0", "(size > 0)"] },
  fingerprint: "42",
  epochChanged: false,
};

function column(number: number, name: string, type: string): CatalogColumn {
  return { number, name, type, notNull: name === "id", notNullValidated: true };
}

const CONSTRAINT = { oid: 8, validated: true, enforced: true, deferrable: "No" } as const;

/** The table as it was made. */
const RELATION: Relation = {
  ...emptyRelation("public", "t"),
  oid: 7,
  relationBytes: 8_192,
  columns: [
    column(1, "id", "integer"),
    { ...column(2, "note", "text"), default: "'x'::text" },
    column(3, "size", "integer"),
  ],
  constraints: [
    { ...CONSTRAINT, name: "t_pkey", kind: "primary key", columns: ["id"] },
    { ...CONSTRAINT, name: "positive", kind: "check", columns: ["size"], expression: "(size > 0)" },
  ],
  indexes: [{
    ...{ oid: 9, name: "by_note", unique: false, nullsNotDistinct: false, valid: true, ready: true, building: false },
    ...{ method: "btree", keys: [{ column: "note", order: "Ascending", nulls: "Last" }], include: [] },
  }],
};

async function wanted(): Promise<
  { readonly desired: NonNullable<Awaited<ReturnType<typeof understandSpec>>["desired"]>; readonly wanted: WantedTable }
> {
  const { desired, errors } = await understandSpec(SPEC);
  const table = desired === undefined ? undefined : wantedTable(desired);
  if (desired === undefined || table === undefined) throw new Error(JSON.stringify(errors));
  return { desired, wanted: table };
}

function situationOf(relation: Relation | undefined, table: WantedTable, row: OwnedTable = ROW): Situation {
  return judgeSituation({
    claimant: { owner: OWNER, desired: table.desired },
    rows: [row],
    row,
    relations: relation === undefined ? [] : [relation],
    schema: { exists: true, mayCreate: true },
    targets: new Map(),
    server: { version: 18, taken: [] },
  });
}

async function drift(relation: Relation | undefined, row: OwnedTable = ROW): Promise<Drift> {
  const spec = await wanted();
  const situation = situationOf(relation, spec.wanted, row);
  return driftOf(spec.wanted, await planSituation(spec.wanted, situation), situation);
}

Deno.test("driftOf() finds nothing on a table that is as it was made", async () => {
  assertEquals(await drift(RELATION), { named: [], unnamed: [] });
});

Deno.test("driftOf() tells a column once, whatever is otherwise about it", async () => {
  const note = { number: 2, name: "note", type: "character varying(9)", notNull: true, notNullValidated: true };
  const columns = RELATION.columns.map((each) => each.name === "note" ? note : each);
  assertEquals((await drift({ ...RELATION, columns })).named, [{
    kind: "Column",
    name: "note",
    expected: `"note" text DEFAULT 'x'`,
    found: '"note" character varying(9) NOT NULL',
  }]);
});

Deno.test("driftOf() tells what is missing, and what is another than it was", async () => {
  const found = await drift({
    ...RELATION,
    columns: RELATION.columns.filter(({ name }) => name !== "note"),
    constraints: RELATION.constraints.map((each) =>
      each.name === "positive" ? { ...each, expression: "(size > 7)" } : each
    ),
    indexes: [],
  });
  assertEquals(found.named.toSorted((a, b) => a.kind < b.kind ? -1 : 1), [
    {
      kind: "Check",
      name: "positive",
      found: 'CONSTRAINT "positive" CHECK ((size > 7))',
      expected: `CONSTRAINT "positive" CHECK (size > 0)`,
    },
    { kind: "Column", name: "note", expected: `"note" text DEFAULT 'x'` },
    { kind: "Index", name: "by_note", expected: 'CREATE INDEX "by_note" ON "public"."t" USING "btree" ("note")' },
  ]);
  assertEquals(
    describeDrift({ named: found.named.filter(({ kind }) => kind === "Column"), unnamed: [] }),
    "column note is missing",
  );
});

Deno.test("driftOf() tells what nobody named, but not of a table that was adopted", async () => {
  const more = { ...RELATION, columns: [...RELATION.columns, column(4, "extra", "date")], triggers: ["audit"] };
  const unnamed = [
    { kind: "Column", name: "extra", found: "date" },
    { kind: "Trigger", name: "audit", found: "trigger" },
  ];
  assertEquals(await drift(more), { named: [], unnamed } as Drift);
  assertEquals((await drift(more, { ...ROW, origin: "adopted" })).unnamed, []);
  assertEquals(
    describeDrift(await drift(more)),
    "column extra is not in the spec; trigger audit is not in the spec",
  );
});

Deno.test("driftOf() tells a table that is gone or has another name", async () => {
  const gone = await drift(undefined);
  assertEquals(gone.named, [{ kind: "Table", name: "public.t", expected: '"public"."t"' }]);
  assertEquals([saysTableMissing(gone.named), describeDrift(gone)], [true, "table public.t is missing"]);
  const renamed = (await drift({ ...RELATION, name: "by_hand" })).named;
  assertEquals(renamed, [{ kind: "Table", name: "t", expected: "t", found: "by_hand" }]);
  assertEquals(saysTableMissing(renamed), false);
});

Deno.test("driftEntries() has room for 20 entries of 256 characters", async () => {
  const triggers = Array.from({ length: 30 }, (_, index) => `${"t".repeat(300)}${index}`);
  const many = await drift({ ...RELATION, triggers });
  assertEquals(driftEntries(many).length, 20);
  assertEquals(driftEntries(many).every(({ name }) => name.length === 256), true);
  assertEquals(describeDrift(many).endsWith("; 10 more"), true);
});

async function judged(
  relation: Relation | undefined,
  options: { readonly action: "Correct" | "Report" | "Ignore"; readonly wasReached?: boolean; readonly hash?: string },
): Promise<{ readonly judge: PlanJudge; readonly stops: readonly string[] }> {
  const spec = await wanted();
  const { action, wasReached = true, hash = "abc" } = options;
  const judge = new PlanJudge({ ...spec, specHash: hash, wasReached, driftAction: action });
  const situation = situationOf(relation, spec.wanted);
  const stops = judge.judge(await planSituation(spec.wanted, situation), situation);
  return { judge, stops: stops.map((stop) => stop.kind === "Fault" ? stop.error.path : stop.kind) };
}

const WITHOUT_NOTE = { ...RELATION, columns: RELATION.columns.filter(({ name }) => name !== "note"), indexes: [] };

Deno.test("PlanJudge lets drift be corrected, or holds it, as the spec says", async () => {
  assertEquals((await judged(WITHOUT_NOTE, { action: "Correct" })).stops, []);
  assertEquals((await judged(WITHOUT_NOTE, { action: "Report" })).stops, ["Held"]);
  assertEquals((await judged(WITHOUT_NOTE, { action: "Ignore" })).stops, ["Held"]);
});

Deno.test("PlanJudge applies a spec that was not reached before, whatever is to be done about drift", async () => {
  const { judge, stops } = await judged(WITHOUT_NOTE, { action: "Report", wasReached: false });
  assertEquals([stops, judge.found.named], [[], []]);
  assertEquals((await judged(WITHOUT_NOTE, { action: "Report", hash: "other" })).stops, []);
});

Deno.test("PlanJudge asks the change policy of a correction too", async () => {
  const columns = RELATION.columns.map((each) => each.name === "size" ? { ...each, type: "bigint" } : each);
  const { judge, stops } = await judged({ ...RELATION, columns }, { action: "Correct" });
  assertEquals(stops, ["spec.columns[2].size"]);
  assertEquals(judge.left.named.map(({ name }) => name), ["size"]);
});

Deno.test("PlanJudge says nothing of what is ignored, unless the table is gone", async () => {
  const kept = (await judged(WITHOUT_NOTE, { action: "Ignore" })).judge;
  assertEquals([kept.left.named, kept.ignored?.relation.oid], [[], 7]);
  const gone = (await judged(undefined, { action: "Ignore" })).judge;
  assertEquals([gone.left.named.length, gone.ignored], [1, undefined]);
  const reported = (await judged(WITHOUT_NOTE, { action: "Report" })).judge;
  assertEquals([reported.left.named.length, reported.ignored], [2, undefined]);
});
