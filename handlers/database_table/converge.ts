import { APPROVE_ANNOTATION, TAKE_OVER_ANNOTATION } from "../../crds/database_table/types.ts";
import { applyTable } from "../../postgres/apply/apply.ts";
import { type Attempt, type Conclusion, refuse } from "./attempt.ts";
import { concludeApply } from "./conclude.ts";
import { ownerOf } from "./context.ts";
import type { DesiredTable } from "./spec/desired.ts";
import { handsOffReason } from "./hands_off.ts";
import { wantedTable } from "./verdict/judge.ts";
import { everyFault, type Objection } from "./verdict/objections.ts";
import { observeTable } from "./observe.ts";
import { originOf } from "./spec/origin.ts";
import { PlanJudge } from "./verdict/plan_judge.ts";
import { type ResolvedTable, resolveTable } from "./verdict/resolve.ts";
import { specHashOf } from "./spec/spec_hash.ts";
import { isReached } from "./status.ts";
import { limitsOf, readApproval, tableRequest } from "./table_request.ts";
import { understandSpec, type UnderstoodSpec } from "./spec/understand.ts";

/** Makes the table of a living object what its spec says, or finds out why not. */
export async function convergeTable(attempt: Attempt): Promise<Conclusion> {
  const { object, context, signal, pause } = attempt;
  const understood = await understandSpec(object.spec, originOf(object));
  const { errors, spec } = understood;
  if (errors.length > 0 || understood.desired?.table === undefined || spec === undefined) {
    return await refuseSpec(attempt, understood);
  }
  // Before types get their schema, or no hash would be what a sweep or another start computes.
  const specHash = specHashOf(understood.desired.table);
  if (await isUnchanged(attempt, specHash)) return { kind: "Unchanged" };
  await context.gate.check(signal);
  const { desired, faults } = await resolve(attempt, understood.desired);
  const wanted = wantedTable(desired);
  if (faults.length > 0 || wanted === undefined) return await refuseSpec(attempt, understood);
  const takeOver = object.metadata.annotations?.[TAKE_OVER_ANNOTATION];
  const claimant = {
    ...wanted,
    owner: ownerOf(object, context.clusterId),
    adoption: { policy: desired.adoptionPolicy, renames: desired.renames, takeOver },
  };
  if (spec.mode === "Observe") return await observeTable(attempt, { desired, claimant });
  const wasReached = object.status?.applied?.hash === specHash;
  const judge = new PlanJudge({ desired, wanted, specHash, wasReached, driftAction: spec.drift.action });
  const approval = await readApproval(context, { object, policy: spec.approval }, signal);
  const request = { ...claimant, specHash, ...tableRequest(attempt, { desired, judge, approval }) };
  const outcome = await applyTable<Objection>(context.database, request, { ...limitsOf(desired), signal, pause });
  return await concludeApply(attempt, { outcome, judge, approval, specHash });
}

/** After a start one look at all tables stands for one at each. */
async function isUnchanged({ object, sweep, signal }: Attempt, specHash: string): Promise<boolean> {
  if (!isReached(object, specHash) || handsOffReason(object) !== undefined) return false;
  // An approval must not outlive its plan.
  if (object.metadata.annotations?.[APPROVE_ANNOTATION] !== undefined) return false;
  return await sweep.isUnchanged(object, specHash, signal);
}

/** With every other fault that the database shows beside those of the spec. */
async function refuseSpec(attempt: Attempt, understood: UnderstoodSpec): Promise<Conclusion> {
  const { object, context, signal } = attempt;
  const errors = await everyFault(context.catalog, { object, understood }, signal);
  const isSpecAlone = errors.length === understood.errors.length;
  return refuse(attempt, { reason: "InvalidSpec", errors, ...(isSpecAlone ? {} : { recheck: "Later" }) });
}

/** Types get their schema before anything is planned. */
async function resolve({ context, signal }: Attempt, desired: DesiredTable): Promise<ResolvedTable> {
  if (desired.types.length === 0) return { desired, faults: [] };
  return await context.database.transaction(
    { ...limitsOf(desired), signal, readOnly: true },
    (transaction) => resolveTable(transaction, desired, context.allowedFunctions),
  );
}
