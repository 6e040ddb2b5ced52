import { type FieldError, forbidden } from "../../../crds/field_error.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import { type Dependent, isMember, observeDependents } from "../../../postgres/catalog/dependents.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { DesiredTable } from "../spec/desired.ts";

type ColumnLoss = Extract<SchemaChange, { readonly kind: "DropColumn" | "ChangeType" | "SetExpression" }>;

/**
 * What others hang on columns that go or change their type. PostgreSQL refuses for some of it and drops the rest without a
 * word; what we did not make must never go that way.
 */
export async function dependentFaults(
  transaction: Transaction,
  desired: DesiredTable,
  { plan, situation }: { readonly plan: PlannedTable; readonly situation: Situation },
): Promise<readonly FieldError[]> {
  const losses = plan.changes.filter(isLoss);
  if (situation.kind !== "owned" || losses.length === 0) return [];
  const names = new Map(plan.renames.map(({ from, to }) => [to, from]));
  const current = (change: ColumnLoss) => names.get(columnOf(change)) ?? columnOf(change);
  const dependents = await observeDependents(transaction, situation.relation.oid, losses.map(current));
  return losses.flatMap((change) => {
    const held = dependents.filter((each) =>
      each.columns.includes(current(change)) && holds(change, each, { plan, situation })
    );
    return held.length === 0 ? [] : [forbidden(pathOf(change, desired), faultOf(change, held))];
  });
}

function isLoss(change: SchemaChange): change is ColumnLoss {
  return change.kind === "DropColumn" || change.kind === "ChangeType" || change.kind === "SetExpression";
}

function columnOf(change: ColumnLoss): string {
  return change.kind === "ChangeType" ? change.column : change.column.name;
}

function holds(
  change: ColumnLoss,
  dependent: Dependent,
  { plan, situation }: {
    readonly plan: PlannedTable;
    readonly situation: Extract<Situation, { readonly kind: "owned" }>;
  },
): boolean {
  if (goesByPlan(dependent, plan)) return false;
  // A sequence of our own identity or serial goes with its column.
  if (dependent.kind === "sequence") return false;
  if (change.kind === "DropColumn" || change.kind === "SetExpression") {
    return !isMember(dependent, situation.row.members) || !dependent.dropsSilently;
  }
  // ALTER TYPE rebuilds constraints, indexes and defaults; it cannot carry these along.
  return ["view", "materialized view", "rule", "policy", "trigger", "generated column", "publication", "function"]
    .includes(dependent.kind);
}

/** What this plan drops itself, before the column. */
function goesByPlan(dependent: Dependent, plan: PlannedTable): boolean {
  const nameBefore = (name: string) => plan.renames.find(({ to }) => to === name)?.from ?? name;
  return dependent.of === undefined &&
    plan.changes.some((change) =>
      ((change.kind === "DropConstraint" || change.kind === "DropIndex") && change.name === dependent.name) ||
      (change.kind === "DropColumn" && dependent.kind === "generated column" &&
        nameBefore(change.column.name) === dependent.name)
    );
}

function pathOf(change: ColumnLoss, desired: DesiredTable): string {
  if (change.kind === "DropColumn") return "spec.columns";
  return desired.columnPaths.get(columnOf(change))?.typePath ?? "spec.columns";
}

function faultOf(change: ColumnLoss, held: readonly Dependent[]): string {
  const names = held.map(({ kind, name, of }) => `${kind} ${name}${of === undefined ? "" : ` of ${of}`}`);
  const what = change.kind === "DropColumn" ? "cannot be dropped" : "cannot change";
  return `column "${columnOf(change)}" ${what} while these need it: ${names.join(", ")}; drop them by hand first`;
}
