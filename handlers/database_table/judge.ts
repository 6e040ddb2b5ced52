import type { FieldError } from "../../crds/field_error.ts";
import type { SchemaChange } from "../../postgres/change.ts";
import { planTable } from "../../postgres/plan.ts";
import type { Situation } from "../../postgres/situation.ts";
import type { Table } from "../../postgres/table.ts";
import type { DesiredTable } from "./desired.ts";
import { type PolicyContext, refuseChanges } from "./policy.ts";

/** A plan and what is refused of it. */
export interface JudgedPlan {
  readonly changes: readonly SchemaChange[];
  readonly refused: readonly { readonly change: SchemaChange; readonly error: FieldError }[];
}

/** Plans one table against another and asks the policy. Pure. */
export function judgePlan(
  desired: DesiredTable,
  observed: Table | undefined,
  ownConstraints: readonly string[] | undefined,
): JudgedPlan {
  if (desired.table === undefined) return { changes: [], refused: [] };
  const changes = planTable(desired.table, observed).filter((change) => isDecided(change, desired));
  const context: PolicyContext = { paths: desired.columnPaths, table: observed ?? desired.table, ownConstraints };
  const refused = changes.flatMap((change) => refuseChanges([change], context).map((error) => ({ change, error })));
  return { changes, refused };
}

/** The judge of the loop: what it says of a plan against the live catalog decides whether any statement runs. */
export function refusalsOf(desired: DesiredTable, situation: Situation): readonly FieldError[] {
  if (situation.kind !== "owned") return [];
  const { table, row } = situation;
  return judgePlan(desired, table, row.members.constraint).refused.map(({ error }) => error);
}

/**
 * With faults in a spec only what is sure may be said of the rest: a column that nobody understood is not removed, and a
 * key that could not be read is not a change of the key.
 */
function isDecided(change: SchemaChange, desired: DesiredTable): boolean {
  if (desired.errors.length === 0 && desired.undecided.size === 0) return true;
  switch (change.kind) {
    case "DropColumn":
      return !desired.undecided.has(change.column.name);
    case "ChangeType":
      return true;
    default:
      return false;
  }
}
