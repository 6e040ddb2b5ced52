import type { SchemaChange } from "../change.ts";
import {
  checkDefinition,
  columnDefinition,
  defaultClause,
  deferrableClause,
  foreignKeyDefinition,
  identityClause,
  primaryKeyDefinition,
  uniqueDefinition,
} from "./definition.ts";
import { quoteIdentifier } from "../text/identifier.ts";

/** Changes that are actions of ALTER TABLE. */
export type AlterTableChange = Exclude<
  SchemaChange,
  {
    readonly kind:
      | "CreateTable"
      | "SetTableComment"
      | "SetColumnComment"
      | "CreateIndex"
      | "RebuildIndex"
      | "DropIndex"
      | "RenameIndex";
  }
>;

/** How a change is made: with `Online` a new constraint does not look at the rows that are there. */
export interface AlterTableOptions {
  readonly version: number;
  readonly mode: "Online" | "Direct";
}

/** The action behind `ALTER TABLE t`; exhaustive over the kinds of change. */
export function alterAction(change: AlterTableChange, options: AlterTableOptions): string {
  switch (change.kind) {
    case "RenameTable":
      return `RENAME TO ${quoteIdentifier(change.to)}`;
    case "RenameColumn":
      return `RENAME COLUMN ${quoteIdentifier(change.from)} TO ${quoteIdentifier(change.to)}`;
    case "RenameConstraint":
      return `RENAME CONSTRAINT ${quoteIdentifier(change.from)} TO ${quoteIdentifier(change.to)}`;
    case "AddPrimaryKey":
    case "AddUnique":
    case "AddCheck":
    case "AddForeignKey":
    case "AttachIndex":
    case "ValidateConstraint":
    case "AlterDeferrability":
    case "DropConstraint":
      return constraintAction(change, notValid(options));
    default:
      return columnAction(change, options);
  }
}

type ConstraintAction = Extract<
  AlterTableChange,
  {
    readonly kind:
      | "AddPrimaryKey"
      | "AddUnique"
      | "AddCheck"
      | "AddForeignKey"
      | "AttachIndex"
      | "ValidateConstraint"
      | "AlterDeferrability"
      | "DropConstraint";
  }
>;
type ColumnAction = Exclude<
  AlterTableChange,
  ConstraintAction | { readonly kind: "RenameTable" | "RenameColumn" | "RenameConstraint" }
>;

function notValid(options: AlterTableOptions): string {
  return options.mode === "Online" ? " NOT VALID" : "";
}

function constraintAction(change: ConstraintAction, suffix: string): string {
  switch (change.kind) {
    case "AddPrimaryKey":
      return `ADD ${primaryKeyDefinition(change.key)}`;
    case "AddUnique":
      return `ADD ${uniqueDefinition(change.unique)}`;
    case "AddCheck":
      return `ADD ${checkDefinition(change.check)}${suffix}`;
    case "AddForeignKey":
      return `ADD ${foreignKeyDefinition(change.foreignKey)}${suffix}`;
    case "AttachIndex": {
      const kind = change.constraint === "primary key" ? "PRIMARY KEY" : "UNIQUE";
      return `ADD CONSTRAINT ${quoteIdentifier(change.name ?? change.index)} ${kind} USING INDEX ${
        quoteIdentifier(change.index)
      }`;
    }
    case "ValidateConstraint":
      return `VALIDATE CONSTRAINT ${quoteIdentifier(change.name)}`;
    case "AlterDeferrability":
      return `ALTER CONSTRAINT ${quoteIdentifier(change.name)} ${deferrableClause(change.deferrable)}`;
    case "DropConstraint":
      return `DROP CONSTRAINT ${quoteIdentifier(change.name)}`;
  }
}

function columnAction(change: ColumnAction, options: AlterTableOptions): string {
  switch (change.kind) {
    case "AddColumn":
      return `ADD COLUMN ${columnDefinition(change.column, [])}`;
    case "DropColumn":
      return `DROP COLUMN ${quoteIdentifier(change.column.name)}`;
    case "ChangeType":
      return changeType(change);
    case "SetCollation":
      return `${alterColumn(change.column)} TYPE ${change.type}${collate(change.collation)}`;
    case "SetDefault":
      return `${alterColumn(change.column)} SET DEFAULT ${defaultClause(change.default)}`;
    case "DropDefault":
      return `${alterColumn(change.column)} DROP DEFAULT`;
    case "SetNotNull":
      return `${alterColumn(change.column)} SET NOT NULL`;
    case "DropNotNull":
      return `${alterColumn(change.column)} DROP NOT NULL`;
    case "AddIdentity":
      return `${alterColumn(change.column)} ADD ${identityClause(change.identity)}`;
    case "SetIdentity":
      return `${alterColumn(change.column)} SET ${identityClause(change.identity).replace(" AS IDENTITY", "")}`;
    case "DropIdentity":
      return `${alterColumn(change.column)} DROP IDENTITY`;
    case "SetExpression":
      return setExpression(change.column, options.version);
    case "DropExpression":
      return `${alterColumn(change.column)} DROP EXPRESSION`;
  }
}

type ColumnNamed = Extract<ColumnAction, { readonly kind: "SetExpression" }>["column"];

function setExpression(column: ColumnNamed, version: number): string {
  if (version >= 17) return `${alterColumn(column.name)} SET EXPRESSION AS (${column.generated ?? ""})`;
  // Both in one statement: nobody sees the table without the column.
  return `DROP COLUMN ${quoteIdentifier(column.name)}, ADD COLUMN ${columnDefinition(column, [])}`;
}

/** The old default may have no cast to the new type: it is taken away and set again in the same statement. */
function changeType(change: Extract<ColumnAction, { readonly kind: "ChangeType" }>): string {
  const column = alterColumn(change.column);
  const using = change.using === undefined ? "" : ` USING (${change.using})`;
  const type = `${column} TYPE ${change.to}${collate(change.collation)}${using}`;
  if (change.default === undefined) return type;
  return `${column} DROP DEFAULT, ${type}, ${column} SET DEFAULT ${defaultClause(change.default)}`;
}

function collate(collation: string | undefined): string {
  return collation === undefined ? "" : ` COLLATE ${collation}`;
}

function alterColumn(column: string): string {
  return `ALTER COLUMN ${quoteIdentifier(column)}`;
}
