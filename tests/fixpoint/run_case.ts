import { assertEquals } from "@std/assert";
import { hazardsOf } from "../../postgres/hazard.ts";
import { quoteIdentifier } from "../../postgres/text/identifier.ts";
import type { Table } from "../../postgres/table.ts";
import { type FixpointCase, kindsOf, type Spec } from "./case.ts";
import { assertAdoptable } from "./adopted.ts";
import { chosenNames } from "./snapshot.ts";
import { type FixpointDatabase, type State, type Subject, subjectOf } from "./fixpoint_database.ts";

let counter = 0;

/** Numbers for the uids of objects. */
export function nextNumber(): number {
  return ++counter;
}

type Row = Readonly<Record<string, unknown>>;

/** The old table of a case, filled. */
export interface MadeCase {
  readonly schema: string;
  readonly number: number;
  /** Puts names into SQL of the case. */
  readonly place: (text: string) => string;
  /** `undefined`: nothing stands there before. */
  readonly before: Subject | undefined;
  readonly rowsBefore: readonly Row[];
}

/**
 * Runs one case: old table, rows, plan, apply, compare with a table made at once, plan again.
 *
 * @returns What stands there then.
 */
export async function runCase(at: FixpointDatabase, each: FixpointCase): Promise<Subject> {
  return await changeCase(at, each, await makeCase(at, each));
}

/** The first half of a case: its old table, with rows. */
export async function makeCase(at: FixpointDatabase, each: FixpointCase): Promise<MadeCase> {
  const schema = await at.schema("f");
  const number = nextNumber();
  const place = (text: string) =>
    text.replaceAll("{app}", at.neighbours).replaceAll("{s}", schema).replaceAll("{t}", `${schema}.t`);
  const before = await makeOld(at, each, { schema, number, place });
  return { schema, number, place, before, rowsBefore: before === undefined ? [] : await rowsOf(at, before) };
}

/** The second half, in the database where the old table stands now. */
export async function changeCase(at: FixpointDatabase, each: FixpointCase, made: MadeCase): Promise<Subject> {
  const { schema, number, place, before, rowsBefore } = made;
  const session = await at.sessionState();
  const next = await subjectOf(at, each.next, { schema, number, generation: 2 });
  const { plan, outcome, mismatches } = await at.apply(next);
  const changes = plan?.changes ?? [];
  assertEquals(changes.map(({ kind }) => kind), kindsOf(each, await at.version()), "changes");
  if (each.hazards !== undefined) {
    assertEquals([...new Set(changes.flatMap((change) => hazardsOf(change)))].toSorted(), each.hazards, "hazards");
  }
  assertEquals(each.darkForecast === true ? [] : mismatches, [], "forecast");
  if (each.statements !== undefined) {
    assertEquals(
      outcome.statements.map(({ sql }) => sql.replaceAll(`"${schema}".`, "").replaceAll(at.neighbours, "app")),
      each.statements,
      "statements",
    );
  }
  const should = await madeAtOnce(at, each.next);
  await assertState(at, next, { should, printsOther: each.printsOther === true });
  if (isNamedAsNew(before, next)) {
    assertEquals((await at.stateOf(next)).names, should.names, "the names");
  }
  if (before !== undefined) await assertRows(at, each, { before, next, rowsBefore });
  if (each.afterwards !== undefined) await at.run(...each.afterwards.map(place));
  assertEquals(await at.sessionState(), session, "the session");
  return next;
}

/** Whether nothing of the old table has a name that PostgreSQL would not choose for the new one. */
export function isNamedAsNew(before: Subject | undefined, { wanted: { desired, renames } }: Subject): boolean {
  if (before === undefined) return true;
  const old = before.wanted.desired;
  return renames.size === 0 && old.name === desired.name && chosenNames(old).length === 0;
}

/** The table of the old spec, filled. */
export async function makeOld(
  at: FixpointDatabase,
  { old, rows = [] }: FixpointCase,
  to: { readonly schema: string; readonly number: number; readonly place: (text: string) => string },
): Promise<Subject | undefined> {
  if (old === undefined) return undefined;
  const { schema, number, place } = to;
  const subject = await subjectOf(at, old, { schema, number, generation: 1 });
  const { mismatches } = await at.apply(subject);
  assertEquals(mismatches, [], "forecast of the old table");
  await at.run(...rows.map(place));
  return subject;
}

/** What the table of a spec is that has no past; whoever has the same spec may adopt it. */
export async function madeAtOnce(at: FixpointDatabase, spec: Spec): Promise<State> {
  const schema = await at.schema("m");
  const subject = await subjectOf(at, spec, { schema, number: nextNumber(), generation: 1 });
  await at.apply(subject);
  const state = await at.stateOf(subject);
  await assertAdoptable(at, spec, subject);
  return state;
}

/** The changed table must be what it would be without its past, and nothing may be left to do. */
export async function assertState(
  at: FixpointDatabase,
  changed: Subject,
  expected: { readonly should: State; readonly printsOther: boolean },
): Promise<void> {
  const { should, printsOther } = expected;
  const is = await at.stateOf(changed);
  assertEquals([is.left, should.left], [[], []], "the second plan");
  assertEquals(is.table, should.table, "the table as the planner sees it");
  if (!printsOther) assertEquals(is.snapshot, should.snapshot, "the table as the catalog has it");
}

/** Every row, sorted by its text. */
export async function rowsOf(at: FixpointDatabase, { wanted: { desired } }: Subject): Promise<readonly Row[]> {
  const rows = await at.query<{ readonly row: string }>(
    `SELECT to_jsonb(t)::text AS row FROM ${quoteIdentifier(desired.schema)}.${
      quoteIdentifier(desired.name)
    } t ORDER BY 1`,
  );
  return rows.map(({ row }) => JSON.parse(row) as Row);
}

function byId(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => Number(a["id"]) - Number(b["id"]));
}

async function assertRows(
  at: FixpointDatabase,
  each: FixpointCase,
  found: { readonly before: Subject; readonly next: Subject; readonly rowsBefore: readonly Row[] },
): Promise<void> {
  const { before, next, rowsBefore } = found;
  const rowsAfter = await rowsOf(at, next);
  assertEquals(rowsAfter.length, rowsBefore.length, "the number of rows");
  if (each.becomes !== undefined) assertEquals(byId(rowsAfter), each.becomes, "the rows");
  const kept = keptColumns(before.wanted.desired, next).filter(({ to }) => !each.loses?.includes(to));
  const pick = (rows: readonly Row[], side: "from" | "to") =>
    rows.map((row) => JSON.stringify(kept.map((names) => row[names[side]]))).toSorted();
  assertEquals(pick(rowsAfter, "to"), pick(rowsBefore, "from"), "the values");
}

/** Columns of both tables with the same type and the same source of values. */
function keptColumns(old: Table, { wanted }: Subject): readonly { readonly from: string; readonly to: string }[] {
  return wanted.desired.columns.flatMap(({ name, type, generated }) => {
    const from = wanted.renames.get(name) ?? name;
    const before = old.columns.find((column) => column.name === from) ??
      old.columns.find((column) => column.name === name);
    const isSame = before !== undefined && before.type === type && generated === undefined;
    return isSame ? [{ from: before.name, to: name }] : [];
  });
}
