import type { DriftEntry, DriftKind } from "../../../crds/database_table/types.ts";
import type { ColumnChange, SchemaChange } from "../../../postgres/change.ts";
import {
  checkDefinition,
  columnDefinition,
  foreignKeyDefinition,
  indexDefinition,
  primaryKeyDefinition,
  uniqueDefinition,
} from "../../../postgres/statement/definition.ts";
import { findColumn, type Table } from "../../../postgres/table.ts";
import { qualifiedName } from "../../../postgres/text/identifier.ts";

/** The whole table is gone. */
export function missingTable({ schema, name }: Table): DriftEntry {
  return { kind: "Table", name: `${schema}.${name}`, expected: qualifiedName(schema, name) };
}

/** The table as it should be, and as it is. */
export interface Sides {
  readonly desired: Table;
  readonly observed: Table;
}

/** A change that would put something right, as the drift that it undoes: in one entry a part. Pure. */
export function entryOf(change: SchemaChange, sides: Sides): DriftEntry {
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
  ColumnChange | { readonly kind: "CreateTable" | "RenameTable" | "SetTableComment" }
>;

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
      return { kind: "Constraint", name: change.name ?? change.columns.join(", "), expected: change.constraint };
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
