import type { FieldError } from "../../../crds/field_error.ts";
import type { PlannedTable } from "../../../postgres/plan/planning.ts";
import type { Situation } from "../../../postgres/situation/situation.ts";
import type { DesiredTable } from "../spec/desired.ts";

/** A plan and all that decides about it. */
export interface PolicyContext {
  readonly desired: DesiredTable;
  readonly plan: PlannedTable;
  /** `undefined` when nobody could look: then only the changes themselves are judged. */
  readonly situation: Situation | undefined;
}

/** One fault of a plan. `cause` is equal for the same fault of two plans, whatever the order of the spec's lists. */
export interface Refusal {
  readonly error: FieldError;
  readonly cause: string;
}
