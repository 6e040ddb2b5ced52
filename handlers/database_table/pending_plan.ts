import type { PlanStatus } from "../../crds/database_table/types.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import { type PlannedSteps, planStatus, statementsOfPlan } from "./plan_status.ts";

/** What one reconcile has yet to run; told also when it fails. */
export class PendingPlan {
  #statements: readonly Statement[] = [];

  /** This is the rest, as it was planned last. */
  replace(plan: PlannedSteps): void {
    this.#statements = statementsOfPlan(plan);
  }

  /** Nothing is going to run. */
  clear(): void {
    this.#statements = [];
  }

  /** For `status.plan`; `undefined` when nothing is pending. */
  async status(): Promise<PlanStatus | undefined> {
    return await planStatus(this.#statements);
  }
}
