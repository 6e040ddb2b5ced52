import { type FieldError, forbidden } from "../../crds/field_error.ts";
import type { SchemaChange } from "../../postgres/change.ts";
import { qualifiedName, quoteIdentifier } from "../../postgres/text/identifier.ts";
import type { Table } from "../../postgres/table.ts";
import type { DesiredTable } from "./desired.ts";

/** What a policy needs beside the plan itself. */
export interface PolicyContext {
  readonly paths: DesiredTable["columnPaths"];
  /** The table as it is called now, for the statements that a message proposes. */
  readonly table: Pick<Table, "schema" | "name">;
  /** Names of constraints that the operator made; `undefined` when nobody could look. */
  readonly ownConstraints: readonly string[] | undefined;
}

/**
 * The changes of a plan that are refused: each would lose data, or something that somebody else made.
 * The webhook and the loop ask the same function, so both say the same words.
 */
export function refuseChanges(changes: readonly SchemaChange[], context: PolicyContext): readonly FieldError[] {
  return changes.flatMap((change) => {
    const fault = refuseChange(change, context);
    return fault === undefined ? [] : [fault];
  });
}

function refuseChange(change: SchemaChange, context: PolicyContext): FieldError | undefined {
  switch (change.kind) {
    case "DropColumn":
      return forbidden(
        "spec.columns",
        `removing column "${change.column.name}" (${change.column.type}) would drop its data: put it back, ` +
          `or drop it by hand first (${alterTable(context)} DROP COLUMN ${quoteIdentifier(change.column.name)})`,
      );
    case "ChangeType":
      return forbidden(
        context.paths.get(change.column)?.typePath ?? "spec.columns",
        `column "${change.column}" cannot change from ${change.from} to ${change.to}: keep ${change.from}, ` +
          `or add a column of type ${change.to} under another name and copy the data`,
      );
    case "DropPrimaryKey":
      if (context.ownConstraints === undefined || context.ownConstraints.includes(change.name)) return undefined;
      return forbidden(
        "spec.primaryKey",
        `the primary key "${change.name}" (${change.columns.join(", ")}) was not made by this operator: ` +
          `name these columns, or drop it by hand first`,
      );
    case "CreateTable":
    case "RenameTable":
    case "AddColumn":
    case "DropDefault":
    case "SetDefault":
    case "DropNotNull":
    case "SetNotNull":
    case "AddPrimaryKey":
      return undefined;
  }
}

function alterTable(context: PolicyContext): string {
  return `ALTER TABLE ${qualifiedName(context.table.schema, context.table.name)}`;
}
