import { type FieldError, forbidden } from "../../../crds/field_error.ts";
import type { ColumnChange, ConstraintChange, IndexChange, SchemaChange } from "../../../postgres/change.ts";
import { hazardsOf } from "../../../postgres/hazard.ts";
import { findColumn } from "../../../postgres/table.ts";
import type { DesiredTable } from "../spec/desired.ts";
import type { PolicyContext, Refusal } from "./policy_context.ts";

/** Where a table differs from what would take it over, and how. */
interface Difference {
  readonly path: string;
  /** Continues "it cannot be taken over: ". */
  readonly detail: string;
}

/**
 * Why a table that nobody owns is not taken over. `IfIdentical`: because anything would change. `IfCompatible`: because
 * something that is there would go or become something else, or because a new column would rewrite the table.
 */
export function refuseAdoption(changes: readonly SchemaChange[], context: PolicyContext): readonly Refusal[] {
  const { desired, plan } = context;
  const waiting = plan.waiting.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey } as const));
  return [...changes, ...waiting].filter((change) => !isCompatible(change, context)).flatMap((change) => {
    const difference = differenceOf(change, context);
    if (difference === undefined) return [];
    const error = refusal(difference, context);
    return [{ error, cause: `${desired.adoptionPolicy} ${JSON.stringify(change)}` }];
  });
}

function refusal({ path, detail }: Difference, { desired }: PolicyContext): FieldError {
  return forbidden(
    path,
    `table "${desired.table?.name}" exists and cannot be taken over (adoptionPolicy: ${desired.adoptionPolicy}): ${detail}`,
  );
}

function isCompatible(change: SchemaChange, context: PolicyContext): boolean {
  return context.desired.adoptionPolicy === "IfCompatible" && isAddition(change, context);
}

/** Whether a change only adds: nothing that is there is dropped, renamed or written again. */
function isAddition(change: SchemaChange, { plan, situation }: PolicyContext): boolean {
  const relation = situation?.kind === "owned" ? situation.relation : undefined;
  switch (change.kind) {
    case "SetTableComment":
    case "SetColumnComment":
    case "SetNotNull":
    case "AddIdentity":
    case "AddUnique":
    case "AddCheck":
    case "AddForeignKey":
    case "ValidateConstraint":
    case "AttachIndex":
    case "CreateIndex":
    case "RebuildIndex":
      return true;
    case "AddPrimaryKey":
      return relation?.constraints.every(({ kind }) => kind !== "primary key") ?? false;
    case "SetDefault":
      return plan.observed !== undefined && findColumn(plan.observed, change.column)?.default === undefined;
    case "AddColumn":
      return !hazardsOf(change).includes("RewritesTable") || (situation?.kind === "owned" && situation.basis.isEmpty);
    default:
      return false;
  }
}

/** `undefined` for what another difference tells already. */
function differenceOf(change: SchemaChange, context: PolicyContext): Difference | undefined {
  switch (change.kind) {
    case "CreateTable":
    case "RenameTable":
      return { path: "spec.tableName", detail: "its name differs" };
    case "SetTableComment":
      return { path: "spec.comment", detail: "it has another comment" };
    case "AddPrimaryKey":
    case "AddUnique":
    case "AttachIndex":
    case "AddCheck":
    case "AddForeignKey":
    case "ValidateConstraint":
    case "AlterDeferrability":
    case "RenameConstraint":
    case "DropConstraint":
      return constraintDifference(change, context);
    case "CreateIndex":
    case "RenameIndex":
    case "RebuildIndex":
    case "DropIndex":
      return indexDifference(change, context.desired);
    default:
      return columnDifference(change, context);
  }
}

function columnDifference(change: ColumnChange, context: PolicyContext): Difference {
  const { columnPaths } = context.desired;
  const name = columnOf(change);
  const paths = columnPaths.get(name);
  const path = change.kind === "ChangeType" ? paths?.typePath : paths?.path;
  return { path: path ?? "spec.columns", detail: describeColumn(change, { name, context }) };
}

function columnOf(change: ColumnChange): string {
  if (change.kind === "RenameColumn") return change.to;
  return typeof change.column === "string" ? change.column : change.column.name;
}

function describeColumn(
  change: ColumnChange,
  { name, context }: { readonly name: string; readonly context: PolicyContext },
): string {
  switch (change.kind) {
    case "AddColumn":
      return `it has no column "${name}"; ` +
        (isAddition(change, context)
          ? "leave it out, or set adoptionPolicy: IfCompatible to add it"
          : "to add it would rewrite the table: leave it out until the table is taken over");
    case "RenameColumn":
      return `its column "${change.from}" is not called "${name}"; name it as it is called, and rename it later`;
    case "ChangeType":
      return `column "${name}" is ${change.from} there, not ${change.to}`;
    case "DropColumn":
    case "SetExpression":
    case "DropExpression":
      return `column "${name}" is computed otherwise there`;
    case "SetCollation":
      return `column "${name}" has another collation there`;
    case "SetDefault":
    case "DropDefault":
      return `column "${name}" has ${describeDefault(name, context)} there`;
    case "SetNotNull":
      return `column "${name}" may be null there`;
    case "DropNotNull":
      return `column "${name}" is NOT NULL there; leave notNull out to keep it so`;
    case "AddIdentity":
    case "SetIdentity":
    case "DropIdentity":
      return `column "${name}" has another identity there`;
    case "SetColumnComment":
      return `column "${name}" has another comment there`;
  }
}

function describeDefault(name: string, { plan }: PolicyContext): string {
  const found = plan.observed === undefined ? undefined : findColumn(plan.observed, name)?.default;
  return found === undefined ? "no default" : `the default ${found}`;
}

function at<T>(paths: readonly string[], part: T, parts: readonly T[] | undefined): string {
  return paths[parts?.indexOf(part) ?? -1] ?? "spec";
}

function constraintDifference(change: ConstraintChange, context: PolicyContext): Difference | undefined {
  const { paths, table } = context.desired;
  switch (change.kind) {
    case "AddPrimaryKey":
      return { path: paths.primaryKey, detail: describeKey(context) };
    case "DropConstraint":
      return undefined;
    case "AddUnique": {
      const { columns } = change.unique;
      const detail = `it has no such unique constraint on (${columns.join(", ")})`;
      return { path: at(paths.uniques, change.unique, table?.uniques), detail };
    }
    case "AttachIndex":
      return {
        path: change.constraint === "primary key" ? paths.primaryKey : "spec.uniqueConstraints",
        detail: `"${change.index}" is an index and no ${change.constraint}`,
      };
    case "AddCheck":
      return {
        path: at(paths.checks, change.check, table?.checks),
        detail: `it has no such check (${change.check.expression})`,
      };
    case "AddForeignKey": {
      const { columns, references } = change.foreignKey;
      const path = at(paths.foreignKeys, change.foreignKey, table?.foreignKeys);
      const detail = `it has no such foreign key (${columns.join(", ")}) to ${references.schema}.${references.table}`;
      return { path, detail };
    }
    case "ValidateConstraint":
      return { path: "spec", detail: `its constraint "${change.name}" is NOT VALID` };
    case "AlterDeferrability":
      return { path: "spec", detail: `its constraint "${change.name}" is not deferrable in the same way` };
    case "RenameConstraint":
      return { path: "spec", detail: `its constraint "${change.from}" is not called "${change.to}"` };
  }
}

function describeKey({ plan }: PolicyContext): string {
  const key = plan.observed?.primaryKey;
  return key === undefined ? "it has no primary key" : `its primary key is (${key.columns.join(", ")})`;
}

function indexDifference(change: IndexChange, { paths, table }: DesiredTable): Difference {
  const path = (index: Extract<IndexChange, { readonly kind: "CreateIndex" }>["index"]) =>
    paths.indexes[table?.indexes.indexOf(index) ?? -1] ?? "spec.indexes";
  switch (change.kind) {
    case "CreateIndex":
      return { path: path(change.index), detail: "it has no such index" };
    case "RebuildIndex":
      return { path: path(change.index), detail: `its index "${change.name}" is not valid` };
    case "RenameIndex":
      return { path: "spec.indexes", detail: `its index "${change.from}" is not called "${change.to}"` };
    case "DropIndex":
      return { path: "spec.indexes", detail: `its index "${change.name}" is not in the spec` };
  }
}
