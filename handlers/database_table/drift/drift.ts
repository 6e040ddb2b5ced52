import type { DriftEntry, DriftKind } from "../../../crds/database_table/types.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import type { PlannedTable, WantedTable } from "../../../postgres/plan/planning.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { UnmanagedObject } from "../../../postgres/table.ts";
import { entryOf, missingTable } from "./drift_entry.ts";

/** Entries of one status; the message of the condition counts the rest. */
const MAX_ENTRIES = 20;
const MAX_TEXT = 256;

/** Where a table is not as it should be. */
export interface Drift {
  /** What the spec names and is missing or otherwise. */
  readonly named: readonly DriftEntry[];
  /** What the spec does not name; no plan touches it. */
  readonly unnamed: readonly DriftEntry[];
}

export const NO_DRIFT: Drift = { named: [], unnamed: [] };

/**
 * Reads drift from a plan that should be empty, since the spec was reached before. Pure.
 *
 * What somebody added to a table that was adopted is not told from what was there before, so nothing is said of it.
 */
export function driftOf(wanted: WantedTable, plan: PlannedTable, situation: Situation): Drift {
  const { desired } = wanted;
  switch (situation.kind) {
    case "conflict":
      return NO_DRIFT;
    case "absent":
      return { named: [missingTable(desired)], unnamed: [] };
    case "owned": {
      const { basis, row } = situation;
      const isAdopted = row.origin === "adopted";
      const target = isAdopted && plan.observed !== undefined ? wanted.adopt?.(plan.observed) ?? desired : desired;
      return {
        named: namedDrift(target, plan),
        unnamed: isAdopted ? [] : basis.table.unmanaged.map((each) => unnamedEntry(each, situation)),
      };
    }
  }
}

/** The part of a drift that a status has room for. */
export function driftEntries({ named, unnamed }: Drift): readonly DriftEntry[] {
  return [...named, ...unnamed].slice(0, MAX_ENTRIES).map(clipEntry);
}

/** One line for people. */
export function describeDrift({ named, unnamed }: Drift): string {
  const entries = [...named, ...unnamed];
  const shown = entries.slice(0, MAX_ENTRIES).map(describeEntry);
  const rest = entries.length - shown.length;
  return [...shown, ...(rest === 0 ? [] : [`${rest} more`])].join("; ");
}

/** Whether a list of drift says that the whole table is gone. */
export function saysTableMissing(entries: readonly DriftEntry[]): boolean {
  return entries.some(({ kind, found }) => kind === "Table" && found === undefined);
}

function describeEntry(entry: DriftEntry): string {
  const { kind, name, expected, found } = clipEntry(entry);
  const what = `${WORDS[kind]} ${name}`;
  if (found === undefined) return `${what} is missing`;
  return expected === undefined ? `${what} is not in the spec` : `${what} must be ${expected}: it is ${found}`;
}

const WORDS: Readonly<Record<DriftKind, string>> = {
  Table: "table",
  Column: "column",
  PrimaryKey: "primary key",
  UniqueConstraint: "unique constraint",
  Check: "check",
  ForeignKey: "foreign key",
  Constraint: "constraint",
  Index: "index",
  Trigger: "trigger",
  Policy: "policy",
  Statistics: "statistics",
  Inheritance: "inheritance of",
};

/** One entry a part: a constraint that is dropped and made anew is one that is otherwise. */
function namedDrift(desired: WantedTable["desired"], plan: PlannedTable): readonly DriftEntry[] {
  const entries = new Map<string, DriftEntry>();
  for (const change of [...plan.changes, ...waitingChanges(plan)]) {
    const entry = entryOf(change, { desired, observed: plan.observed ?? desired });
    const key = `${entry.kind} ${entry.name}`;
    entries.set(key, { ...entries.get(key), ...entry });
  }
  return [...entries.values()];
}

function waitingChanges({ waiting }: PlannedTable): readonly SchemaChange[] {
  return waiting.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey }));
}

const UNMANAGED_KINDS: Readonly<Record<UnmanagedObject["kind"], DriftKind>> = {
  column: "Column",
  constraint: "Constraint",
  "exclusion constraint": "Constraint",
  index: "Index",
  trigger: "Trigger",
  policy: "Policy",
  statistics: "Statistics",
  inheritance: "Inheritance",
};

function unnamedEntry(
  { kind, name }: UnmanagedObject,
  { relation }: Extract<Situation, { readonly kind: "owned" }>,
): DriftEntry {
  const column = kind === "column" ? relation.columns.find((each) => each.name === name) : undefined;
  return { kind: UNMANAGED_KINDS[kind], name, found: column === undefined ? kind : column.type };
}

function clipEntry(entry: DriftEntry): DriftEntry {
  const { expected, found } = entry;
  return {
    ...entry,
    name: clip(entry.name),
    ...(expected === undefined ? {} : { expected: clip(expected) }),
    ...(found === undefined ? {} : { found: clip(found) }),
  };
}

function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
