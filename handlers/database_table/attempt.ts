import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import type { Pause } from "../../kube/queue/deadline.ts";
import type { ReconcileContext } from "./context.ts";
import type { PendingPlan } from "./pending_plan.ts";
import type { Report } from "./status_report.ts";
import type { DatabaseSweep } from "./drift/sweep.ts";

/** One reconcile of one object. */
export interface Attempt {
  readonly object: DatabaseTable;
  readonly context: ReconcileContext;
  readonly sweep: Pick<DatabaseSweep, "isUnchanged">;
  readonly pending: PendingPlan;
  readonly signal: AbortSignal;
  /** For what takes as long as it takes. */
  readonly pause: Pause;
}

/** How a reconcile ends, but for failures. */
export type Conclusion =
  | Told
  | Postponed
  /** What the status says is still so. */
  | { readonly kind: "Unchanged" }
  /** The object was written, which comes back as an event, or may go. */
  | { readonly kind: "Written"; readonly happened?: string }
  /** Somebody else works on the same name: it will not take long. */
  | { readonly kind: "Busy" };

/** Something to be told in the status. */
export interface Told {
  readonly kind: "Told";
  /** As it stands now: the reconcile itself may have changed it. */
  readonly object: DatabaseTable;
  readonly report: Omit<Report, "plan">;
  readonly recheck?: Recheck;
  /** What others may have waited for. */
  readonly happened?: string;
  /** What would be news. */
  readonly waitsFor?: readonly string[];
}

/** It is told what the object waits for; whoever made it wait brings it back. */
interface Postponed {
  readonly kind: "Postponed";
  readonly report: Omit<Report, "plan">;
}

/** A table that we made or changed, as something to wait for. */
export function tableNews({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `table ${schema}.${name}`;
}

/** An object that went, as something to wait for. */
export function endNews({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `end of ${namespace}/${name}`;
}

/**
 * When the table is looked at again although its object has not changed.
 *
 * - `Later`: something outside must change first, and nobody tells us when it has.
 * - `Soon`: what is waited for comes as an event of somebody else; less often the longer it takes.
 */
export type Recheck = "Later" | "Soon";

/** The object cannot be carried out as it is. */
export interface Refusal extends Omit<Report, "plan" | "finding"> {
  readonly reason: "InvalidSpec" | "PlanRefused" | "OwnershipConflict";
  readonly errors: readonly FieldError[];
  /** Absent: nothing other than the object can have mended it. */
  readonly recheck?: Recheck;
}

/** Says in an event and the status what the user must change. */
export function refuse({ object, context }: Attempt, { reason, errors, recheck, ...seen }: Refusal): Told {
  context.recordEvent(object, { type: "Warning", reason, note: errors.map(formatFieldError).join("; ") });
  return tell(object, { finding: { kind: "Faulty", reason, errors }, ...seen }, recheck);
}

/** Says it in the status alone. */
export function tell(object: DatabaseTable, report: Told["report"], recheck?: Recheck): Told {
  return recheck === undefined ? { kind: "Told", object, report } : { kind: "Told", object, report, recheck };
}
