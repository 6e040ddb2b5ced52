import { forbidden } from "../../crds/field_error.ts";
import { planSituation, type WantedTable } from "../../postgres/plan/planning.ts";
import type { Transaction } from "../../postgres/session/client.ts";
import { type Claimant, observeSituation } from "../../postgres/situation/situation.ts";
import { conflictError } from "./conflict.ts";
import type { DesiredTable } from "./desired.ts";
import { refusePlan } from "./policy.ts";
import { schemaFault } from "./schema_fault.ts";
import type { Finding } from "./status_report.ts";
import { verifyPlan } from "./verify.ts";

/** What `mode: Observe` asks for. */
export interface Observation {
  readonly desired: DesiredTable;
  readonly claimant: Claimant & WantedTable;
}

/** Plans as the loop would and runs nothing; for a read-only transaction. */
export async function observePlan(
  transaction: Transaction,
  { desired, claimant }: Observation,
): Promise<Finding> {
  const situation = await observeSituation(transaction, claimant);
  if (situation.kind === "conflict") {
    return { kind: "Faulty", reason: "OwnershipConflict", errors: [conflictError(situation.conflict)] };
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    const errors = [forbidden("spec.schema", schemaFault(situation.schema.exists))];
    return { kind: "Faulty", reason: "InvalidSpec", errors };
  }
  const plan = await planSituation(claimant, situation);
  const { faults } = await verifyPlan(transaction, desired, { plan, situation });
  const errors = [...refusePlan({ desired, plan, situation }).map(({ error }) => error), ...faults];
  if (errors.length > 0) return { kind: "Faulty", reason: "PlanRefused", errors };
  const { schema, name } = claimant.desired;
  const statements = plan.steps.flatMap((step) => step.statements.map(({ sql }) => sql));
  const isReached = statements.length === 0 && plan.waiting.length === 0;
  const message = isReached
    ? `spec.mode is Observe: table ${schema}.${name} is as the spec says`
    : `spec.mode is Observe: nothing is changed; Apply would run: ${statements.join("; ")}`;
  return { kind: "Observed", isReached, message };
}
