import { type FieldError, forbidden } from "../../../crds/field_error.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import { hazardsOf } from "../../../postgres/hazard.ts";
import { printedName } from "../../../postgres/catalog/relation.ts";
import type { Table } from "../../../postgres/table.ts";
import { classifyTypeChange } from "../../../postgres/type_change.ts";
import type { PolicyContext } from "./policy_context.ts";

/** Why one change is refused; empty if it may run. Exhaustive over the kinds of change that can lose something. */
export function refuseChange(change: SchemaChange, context: PolicyContext): readonly FieldError[] {
  switch (change.kind) {
    case "DropColumn":
      return refuseDropColumn(change, context);
    case "ChangeType":
      return refuseChangeType(change, context);
    case "DropConstraint":
      return refuseDropConstraint(change, context);
    case "DropIndex":
      return refuseDropIndex(change.name, context);
    case "AddColumn":
    case "SetExpression":
      return refuseRewrite(change, context);
    default:
      return refuseUnderLock(change, context);
  }
}

/**
 * One column goes and one of the same type comes: most likely it got another name, and its data would be lost. Said also
 * where dropping columns is allowed.
 */
export function refuseLookAlike({ plan, desired }: PolicyContext): readonly FieldError[] {
  const dropped = plan.changes.flatMap((change) => change.kind === "DropColumn" ? [change.column] : []);
  const added = plan.changes.flatMap((change) => change.kind === "AddColumn" ? [change.column] : []);
  const [gone] = dropped;
  const [come] = added;
  if (gone === undefined || come === undefined || dropped.length > 1 || added.length > 1) return [];
  if (gone.type !== come.type || gone.name === come.name) return [];
  return [forbidden(
    desired.columnPaths.get(come.name)?.path ?? "spec.columns",
    `looks like a rename of "${gone.name}": set renamedFrom: ${gone.name} to keep its data, ` +
      `or apply the removal and the addition apart`,
  )];
}

function refuseDropColumn(
  change: Extract<SchemaChange, { readonly kind: "DropColumn" }>,
  context: PolicyContext,
): readonly FieldError[] {
  if (isAllowed("DropColumn", context) || isComputedAgain(change, context)) return [];
  const { name, type } = change.column;
  return [forbidden(
    "spec.columns",
    `removing column "${name}" (${type}) would drop its data: put it back, ` +
      `or allow it with changePolicy.allow: [DropColumn]`,
  )];
}

/** It goes while what it is computed from gets another type: nothing is lost. */
function isComputedAgain(
  { column: { name, generated } }: Extract<SchemaChange, { readonly kind: "DropColumn" }>,
  { plan }: PolicyContext,
): boolean {
  return generated !== undefined &&
    plan.changes.some((change) =>
      change.kind === "AddColumn" && change.column.name === name && change.column.generated !== undefined
    );
}

function refuseChangeType(
  change: Extract<SchemaChange, { readonly kind: "ChangeType" }>,
  context: PolicyContext,
): readonly FieldError[] {
  const { kind } = classifyTypeChange(change.from, change.to);
  const needed = hazardsOf(change).includes("RewritesTable") && hasRows(context)
    ? [kind, "RewriteTable"] as const
    : [kind] as const;
  const missing = needed.filter((each) => !isAllowed(each, context));
  if (missing.length === 0) return [];
  return [forbidden(
    context.desired.columnPaths.get(change.column)?.typePath ?? "spec.columns",
    `column "${change.column}" cannot change from ${change.from} to ${change.to}: keep ${change.from}, ` +
      `or allow it with changePolicy.allow: [${needed.join(", ")}]${describeTypeChange(kind, needed.length > 1)}`,
  )];
}

function describeTypeChange(kind: string, rewrites: boolean): string {
  const rewriting = rewrites ? "; the table is rewritten under a lock" : "";
  return kind === "NarrowType" ? `${rewriting}; values that do not fit make it fail` : rewriting;
}

function refuseDropConstraint(
  change: Extract<SchemaChange, { readonly kind: "DropConstraint" }>,
  context: PolicyContext,
): readonly FieldError[] {
  const path = pathOfConstraint(change.constraint);
  if (!isOurs(change.name, context)) {
    return [forbidden(
      path,
      `the ${change.constraint} "${change.name}" (${change.columns.join(", ")}) was not made by this operator: ` +
        `name the same, or drop it by hand first`,
    )];
  }
  const needing = neededBy(change.name, context);
  if (needing.length > 0) {
    return [forbidden(
      path,
      `the ${change.constraint} "${change.name}" cannot go while these need it: ${needing.join(", ")}`,
    )];
  }
  if (change.constraint === "primary key" || isReplaced(change.constraint, context)) return [];
  if (isAllowed("DropConstraint", context)) return [];
  return [forbidden(
    path,
    `removing the ${change.constraint} "${change.name}" gives up what it guarantees: put it back, ` +
      `or allow it with changePolicy.allow: [DropConstraint]`,
  )];
}

/** Foreign keys of other tables that refer to this key, and views that group by it: PostgreSQL would refuse. */
function neededBy(name: string, { situation }: PolicyContext): readonly string[] {
  if (situation?.kind !== "owned") return [];
  const { constraints, inbound, readers } = situation.relation;
  const index = constraints.find((constraint) => constraint.name === name)?.index;
  return [
    ...inbound.filter((key) => index !== undefined && key.index === index)
      .map((key) => `the foreign key "${key.name}" of ${printedName(key.schema, key.table)}`),
    ...readers.filter((reader) => reader.constraints.includes(name)).map((reader) => `${reader.kind} ${reader.name}`),
  ];
}

const ADDS: Readonly<Record<string, SchemaChange["kind"]>> = {
  "unique constraint": "AddUnique",
  check: "AddCheck",
  "foreign key": "AddForeignKey",
};

/** As many come as go: they are changed, not removed. */
function isReplaced(constraint: string, { plan }: PolicyContext): boolean {
  const going = plan.changes.filter((change) => change.kind === "DropConstraint" && change.constraint === constraint);
  const coming = plan.changes.filter((change) => change.kind === ADDS[constraint] || change.kind === "AttachIndex");
  return coming.length >= going.length;
}

function refuseDropIndex(name: string, context: PolicyContext): readonly FieldError[] {
  const creates = context.plan.changes.filter((change) => change.kind === "CreateIndex").length;
  const drops = context.plan.changes.filter((change) => change.kind === "DropIndex").length;
  // Its successor is built, and waits for the name.
  if (context.plan.changes.some((change) => change.kind === "RenameIndex" && change.to === name)) return [];
  if (creates >= drops || isInvalid(name, context) || isAllowed("DropIndex", context)) return [];
  return [forbidden(
    "spec.indexes",
    `removing index "${name}" may make queries slow: put it back, or allow it with changePolicy.allow: [DropIndex]`,
  )];
}

function isInvalid(name: string, { plan }: PolicyContext): boolean {
  return plan.observed?.indexes.some((index) => index.name === name && !index.valid) ?? false;
}

function refuseRewrite(
  change: Extract<SchemaChange, { readonly kind: "AddColumn" | "SetExpression" }>,
  context: PolicyContext,
): readonly FieldError[] {
  if (!hazardsOf(change).includes("RewritesTable") || !hasRows(context) || isAllowed("RewriteTable", context)) {
    return [];
  }
  const { name } = change.column;
  return [forbidden(
    context.desired.columnPaths.get(name)?.path ?? "spec.columns",
    `column "${name}" would make PostgreSQL rewrite the whole table under a lock: allow it with ` +
      `changePolicy.allow: [RewriteTable], or add the column without ${whatRewrites(change)} first`,
  )];
}

function whatRewrites(change: Extract<SchemaChange, { readonly kind: "AddColumn" | "SetExpression" }>): string {
  if (change.column.identity !== undefined) return "identity";
  return change.column.generated === undefined ? "its default" : "generatedAs";
}

/** `online: Require` means: what PostgreSQL can only do while everybody waits is not done. */
function refuseUnderLock(change: SchemaChange, context: PolicyContext): readonly FieldError[] {
  const { desired, plan, situation } = context;
  if (desired.changePolicy.online !== "Require" || plan.observed === undefined) return [];
  if (situation?.kind === "owned" && situation.basis.isEmpty) return [];
  const path = "column" in change && typeof change.column === "string"
    ? context.desired.columnPaths.get(change.column)?.path ?? "spec.columns"
    : "spec.columns";
  switch (change.kind) {
    case "SetCollation":
      return [forbidden(
        path,
        `column "${change.column}" cannot change its collation online: indexes are rebuilt under a lock; ` +
          `set changePolicy.online: Prefer for this change`,
      )];
    case "AddIdentity":
      return leadsIndex(change.column, plan.observed) ? [] : [forbidden(
        path,
        `column "${change.column}" cannot become an identity online: its greatest value is looked for under a lock; ` +
          `give it an index first, or set changePolicy.online: Prefer for this change`,
      )];
    default:
      return [];
  }
}

/** Whether an index knows the greatest value of the column. */
function leadsIndex(column: string, { primaryKey, uniques, indexes }: Table): boolean {
  return [primaryKey, ...uniques].some((key) => key?.columns[0] === column) ||
    indexes.some(({ keys, method, where, valid }) =>
      valid && method === "btree" && where === undefined && keys[0]?.column === column
    );
}

function isAllowed(kind: string, { desired }: PolicyContext): boolean {
  return ([...desired.changePolicy.allow] as readonly string[]).includes(kind);
}

/** Whether somebody would wait for a rewrite; a table that nobody could look at may have rows. */
function hasRows({ situation }: PolicyContext): boolean {
  return situation?.kind !== "owned" || !situation.basis.isEmpty;
}

/** Members are what the registry says that we made; helpers of ours are known by their name. */
function isOurs(name: string, { situation }: PolicyContext): boolean {
  if (situation?.kind !== "owned") return true;
  return situation.row.members.constraint.includes(name) ||
    situation.basis.helpers.some((helper) => helper.name === name);
}

function pathOfConstraint(constraint: string): string {
  switch (constraint) {
    case "primary key":
      return "spec.primaryKey";
    case "unique constraint":
      return "spec.uniqueConstraints";
    case "check":
      return "spec.checks";
    default:
      return "spec.foreignKeys";
  }
}
