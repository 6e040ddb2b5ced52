import type { PolicyContext, Refusal } from "./policy_context.ts";
import type { FieldError } from "../../../crds/field_error.ts";
import type { SchemaChange } from "../../../postgres/change.ts";
import { refuseAdoption } from "./policy_adoption.ts";
import { refuseChange, refuseLookAlike } from "./policy_changes.ts";
import { refuseReferences } from "./policy_references.ts";
import { refuseRenames } from "./policy_renames.ts";

/**
 * What of a plan is refused: each change that would lose data, stop users, or touch what somebody else made, unless the
 * spec allows it. The webhook and the loop ask the same function, so both say the same words.
 */
export function refusePlan(context: PolicyContext): readonly Refusal[] {
  if (context.situation?.kind === "owned" && context.situation.adopting === true) {
    const differences = context.plan.changes.filter((change) => isDecided(change, context));
    return [
      ...refuseAdoption(differences, context),
      ...refuseRenames(context).map(byText),
      ...refuseReferences(context).map(byText),
    ];
  }
  return [
    ...context.plan.changes.filter((change) => isDecided(change, context)).flatMap((change) =>
      refuseChange(change, context).map((error) => ({ error, cause: JSON.stringify(change) }))
    ),
    ...refuseLookAlike(context).map(byText),
    ...refuseRenames(context).map(byText),
    ...refuseReferences(context).map(byText),
  ];
}

function byText(error: FieldError): Refusal {
  return { error, cause: `${error.path}: ${error.detail}` };
}

/**
 * With faults in a spec only what is sure may be said of the rest: a column that nobody understood is not removed, and a
 * part that could not be read is not a part that is gone.
 */
function isDecided(change: SchemaChange, { desired }: PolicyContext): boolean {
  if (desired.errors.length === 0 && desired.undecided.size === 0) return true;
  if (change.kind === "DropColumn") return !desired.undecided.has(change.column.name);
  return change.kind === "ChangeType";
}
