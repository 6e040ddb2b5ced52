import { forbidden } from "../../crds/field_error.ts";
import { type PlannedTable, planSituation, type WantedTable } from "../../postgres/plan/planning.ts";
import { lookWithPrints, withPrints } from "../../postgres/situation/look_with_prints.ts";
import { type Claimant, observeSituation, type Situation } from "../../postgres/situation/situation.ts";
import type { Table } from "../../postgres/table.ts";
import { type Attempt, type Conclusion, tell } from "./attempt.ts";
import { conflictError } from "./verdict/conflict.ts";
import type { DesiredTable } from "./spec/desired.ts";
import { NO_DRIFT } from "./drift/drift.ts";
import { unique } from "./verdict/live_verdict.ts";
import { planFaults } from "./verdict/objections.ts";
import { statementsOfPlan } from "./plan_status.ts";
import { schemaFault } from "./verdict/schema_fault.ts";
import type { Finding } from "./status_report.ts";
import { limitsOf } from "./table_request.ts";
import { verifyPlan } from "./verdict/verify.ts";

/** What `mode: Observe` asks for. */
export interface Observation {
  readonly desired: DesiredTable;
  readonly claimant: Claimant & WantedTable;
}

/** Plans as the loop would and runs nothing. */
export async function observeTable(attempt: Attempt, observation: Observation): Promise<Conclusion> {
  const finding = await observe(attempt, observation);
  return tell(attempt.object, { finding, drift: NO_DRIFT }, "Later");
}

async function observe(attempt: Attempt, { desired, claimant }: Observation): Promise<Finding> {
  const { context: { database, catalog, allowedFunctions: allowed }, pending, signal } = attempt;
  const limits = { ...limitsOf(desired), signal };
  const { situation, plan, faults } = await lookWithPrints(
    database,
    limits,
    async (prints) =>
      await database.transaction({ ...limits, readOnly: true }, async (transaction) => {
        const asked = withPrints(claimant, prints);
        const situation = await observeSituation(transaction, asked);
        const plan = await planSituation(asked, situation);
        const seen = { claimant: asked, situation, plan };
        if (isOutOfReach(situation)) return { ...seen, faults: [] };
        return { ...seen, faults: (await verifyPlan(transaction, desired, { plan, situation, allowed })).faults };
      }),
  );
  if (situation.kind === "conflict") {
    return { kind: "Faulty", reason: "OwnershipConflict", errors: [conflictError(situation.conflict)] };
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    const errors = [forbidden("spec.schema", schemaFault(situation.schema.exists))];
    return { kind: "Faulty", reason: "InvalidSpec", errors };
  }
  pending.replace(plan);
  const errors = unique([...await planFaults(catalog, { desired, plan, situation }, signal), ...faults]);
  if (errors.length > 0) return { kind: "Faulty", reason: "PlanRefused", errors };
  return observed(claimant.desired, plan);
}

function isOutOfReach(situation: Situation): boolean {
  return situation.kind === "conflict" || (situation.kind === "absent" && !situation.schema.mayCreate);
}

function observed({ schema, name }: Table, plan: PlannedTable): Finding {
  const statements = statementsOfPlan(plan).map(({ sql }) => sql);
  const isReached = statements.length === 0;
  const message = isReached
    ? `spec.mode is Observe: table ${schema}.${name} is as the spec says`
    : `spec.mode is Observe: nothing is changed; Apply would run: ${statements.join("; ")}`;
  return { kind: "Observed", isReached, message };
}
