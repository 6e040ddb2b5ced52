import type { DriftEntry, DriftKind } from "../../crds/database_table/types.ts";
import type { SchemaChange } from "../../postgres/change.ts";
import type { PlannedTable, WantedTable } from "../../postgres/plan/planning.ts";
import type { Situation } from "../../postgres/situation/situation.ts";
import {
  checkDefinition,
  columnDefinition,
  foreignKeyDefinition,
  indexDefinition,
  primaryKeyDefinition,
  uniqueDefinition,
} from "../../postgres/statement/definition.ts";
import { findColumn, type Table, type UnmanagedObject } from "../../postgres/table.ts";
import { qualifiedName } from "../../postgres/text/identifier.ts";

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

function missingTable({ schema, name }: Table): DriftEntry {
  return { kind: "Table", name: `${schema}.${name}`, expected: qualifiedName(schema, name) };
}

/** One entry a part: a constraint that is dropped and made anew is one that is otherwise. */
function namedDrift(desired: Table, plan: PlannedTable): readonly DriftEntry[] {
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

interface Sides {
  readonly desired: Table;
  readonly observed: Table;
}

function entryOf(change: SchemaChange, sides: Sides): DriftEntry {
  switch (change.kind) {
    case "CreateTable":
      return missingTable(change.table);
    case "RenameTable":
      return { kind: "Table", name: change.to, expected: change.to, found: change.from };
    case "SetTableComment":
      return commentEntry({ kind: "Table", name: sides.desired.name }, change.comment, sides.observed.comment);
    case "SetColumnComment": {
      const observed = findColumn(sides.observed, change.column)?.comment;
      return commentEntry({ kind: "Column", name: change.column }, change.comment, observed);
    }
    case "RenameColumn":
      return { kind: "Column", name: change.to, expected: change.to, found: change.from };
    case "AddColumn":
    case "DropColumn":
    case "SetExpression":
      return columnEntry(change.column.name, sides);
    case "ChangeType":
    case "SetCollation":
    case "SetDefault":
    case "DropDefault":
    case "SetNotNull":
    case "DropNotNull":
    case "AddIdentity":
    case "SetIdentity":
    case "DropIdentity":
    case "DropExpression":
      return columnEntry(change.column, sides);
    default:
      return partEntry(change, sides.observed);
  }
}

function columnEntry(name: string, { desired, observed }: Sides): DriftEntry {
  const expected = findColumn(desired, name);
  const found = findColumn(observed, name);
  return {
    kind: "Column",
    name,
    ...(expected === undefined ? {} : { expected: columnDefinition(expected, []) }),
    ...(found === undefined ? {} : { found: columnDefinition(found, []) }),
  };
}

function commentEntry(
  part: Pick<DriftEntry, "kind" | "name">,
  expected: string | undefined,
  found: string | undefined,
): DriftEntry {
  return { ...part, name: `comment of ${part.name}`, expected: expected ?? "no comment", found: found ?? "no comment" };
}

type PartChange = Exclude<
  SchemaChange,
  { readonly kind: "CreateTable" | "RenameTable" | "SetTableComment" } | { readonly kind: ColumnChangeKind }
>;
type ColumnChangeKind =
  | "RenameColumn"
  | "AddColumn"
  | "DropColumn"
  | "ChangeType"
  | "SetCollation"
  | "SetDefault"
  | "DropDefault"
  | "SetNotNull"
  | "DropNotNull"
  | "AddIdentity"
  | "SetIdentity"
  | "DropIdentity"
  | "SetExpression"
  | "DropExpression"
  | "SetColumnComment";

function partEntry(change: PartChange, observed: Table): DriftEntry {
  switch (change.kind) {
    case "AddPrimaryKey":
      return { kind: "PrimaryKey", name: observed.name, expected: primaryKeyDefinition(change.key) };
    case "AddUnique":
      return expectedPart("UniqueConstraint", change.unique, uniqueDefinition(change.unique));
    case "AddCheck":
      return expectedPart("Check", change.check, checkDefinition(change.check));
    case "AddForeignKey":
      return expectedPart("ForeignKey", change.foreignKey, foreignKeyDefinition(change.foreignKey));
    case "CreateIndex":
      return expectedPart("Index", change.index, indexDefinition(change.index, tableText(observed), "Direct"));
    case "RebuildIndex":
      return { kind: "Index", name: change.name, expected: "valid", found: "not valid" };
    case "ValidateConstraint":
      return { kind: "Constraint", name: change.name, expected: "validated", found: "NOT VALID" };
    case "AlterDeferrability":
      return {
        kind: "ForeignKey",
        name: change.name,
        expected: change.deferrable,
        ...foundPart(change.name, observed),
      };
    case "RenameConstraint":
      return { kind: "Constraint", name: change.to, expected: change.to, found: change.from };
    case "RenameIndex":
      return { kind: "Index", name: change.to, expected: change.to, found: change.from };
    case "AttachIndex":
      return { kind: "Constraint", name: change.name, expected: change.constraint };
    case "DropConstraint": {
      const kind = CONSTRAINT_KINDS[change.constraint];
      return { kind, name: kind === "PrimaryKey" ? observed.name : change.name, ...foundPart(change.name, observed) };
    }
    case "DropIndex":
      return { kind: "Index", name: change.name, ...foundPart(change.name, observed) };
  }
}

const CONSTRAINT_KINDS = {
  "primary key": "PrimaryKey",
  "unique constraint": "UniqueConstraint",
  check: "Check",
  "foreign key": "ForeignKey",
} as const;

function expectedPart(
  kind: DriftKind,
  part: { readonly name?: string; readonly columns?: readonly string[] },
  expected: string,
): DriftEntry {
  return { kind, name: part.name ?? part.columns?.join(", ") ?? expected, expected };
}

/** What stands under that name, as SQL. */
function foundPart(name: string, observed: Table): { readonly found: string } {
  const { primaryKey, uniques, checks, foreignKeys, indexes } = observed;
  const isIt = (part: { readonly name?: string }) => part.name === name;
  const texts = [
    ...[primaryKey].filter((key) => key !== undefined).filter(isIt).map(primaryKeyDefinition),
    ...uniques.filter(isIt).map(uniqueDefinition),
    ...checks.filter(isIt).map(checkDefinition),
    ...foreignKeys.filter(isIt).map(foreignKeyDefinition),
    ...indexes.filter(isIt).map((index) => indexDefinition(index, tableText(observed), "Direct")),
  ];
  return { found: texts[0] ?? name };
}

function tableText({ schema, name }: Table): string {
  return qualifiedName(schema, name);
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
