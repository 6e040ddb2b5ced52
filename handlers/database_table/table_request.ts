import { type Approval, APPROVE_ANNOTATION, type DatabaseTable } from "../../crds/database_table/types.ts";
import type { ApplyRequest } from "../../postgres/apply/apply.ts";
import type { PlannedTable, WantedTable } from "../../postgres/plan/planning.ts";
import { approvedStatements } from "../../postgres/registry/approval.ts";
import type { Claimant } from "../../postgres/situation/situation.ts";
import { PlanApproval } from "./verdict/approval.ts";
import type { Attempt } from "./attempt.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import type { DesiredTable } from "./spec/desired.ts";
import { faultsOf, type Objection, planFaults } from "./verdict/objections.ts";
import type { PlanJudge } from "./verdict/plan_judge.ts";
import { verifyPlan } from "./verdict/verify.ts";
import { columnsToProbe } from "./verdict/verify_literals.ts";

/** For statements on the registry alone, in milliseconds. */
export const REGISTRY_LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 } as const;

/** What decides about the plans of one object. */
export interface TableRequest {
  readonly desired: DesiredTable;
  readonly judge: PlanJudge;
  readonly approval: PlanApproval;
}

/** What the loop says to the plans of `applyTable()`. */
export function tableRequest(
  { object, context, pending, signal }: Attempt,
  { desired, judge, approval }: TableRequest,
): Omit<ApplyRequest<Objection>, keyof Claimant | keyof WantedTable | "specHash"> {
  const { catalog, clusterId, objects, allowedFunctions: allowed } = context;
  const owner = ownerOf(object, clusterId);
  return {
    isNew: object.status === undefined && approval.isAutomatic && columnsToProbe(desired, undefined).length === 0,
    wasMade: object.status?.observed?.oid !== undefined,
    madeIn: object.status?.observed?.databaseId,
    isLiving: async () => (await objects.read(object, signal))?.metadata.uid === owner.uid,
    // What the transaction does not ask itself, or names every fault beside one that is known.
    inspect: async (plan, situation) => {
      if (judge.holds(plan, situation)) {
        pending.clear();
        return [{ kind: "Held" }];
      }
      pending.replace(plan);
      const faults = await planFaults(catalog, { desired, plan, situation }, signal);
      return faults.length > 0 ? faultsOf(faults) : await approvalObjections(approval, plan);
    },
    verify: async (transaction, { plan, situation }) => {
      const { faults, searchPath } = await verifyPlan(transaction, desired, { plan, situation, allowed });
      const objections = [...faultsOf(faults), ...await approvalObjections(approval, plan)];
      if (objections.length === 0) await approval.record(transaction, owner);
      return { faults: objections, searchPath };
    },
    judge: (plan, situation) => {
      const objections = judge.judge(plan, situation);
      if (objections.length === 0) pending.replace(plan);
      return objections;
    },
  };
}

async function approvalObjections(approval: PlanApproval, plan: PlannedTable): Promise<readonly Objection[]> {
  const needed = await approval.objection(plan);
  return needed === undefined ? [] : [needed];
}

/** What is approved of an object's plans: by its annotation, and by the registry, which knows of plans that have begun. */
export async function readApproval(
  { database, clusterId }: ReconcileContext,
  { object, policy }: { readonly object: DatabaseTable; readonly policy: Approval },
  signal: AbortSignal,
): Promise<PlanApproval> {
  const owner = ownerOf(object, clusterId);
  const remembered = policy === "Automatic" ? [] : await database.transaction(
    { ...REGISTRY_LIMITS, signal, readOnly: true },
    (transaction) => approvedStatements(transaction, owner),
  );
  return new PlanApproval({ policy, annotation: object.metadata.annotations?.[APPROVE_ANNOTATION], remembered });
}

/** How long the statements of a spec may wait and run, in milliseconds. */
export function limitsOf(
  { changePolicy: { lockTimeoutMs, statementTimeoutMs } }: DesiredTable,
): { readonly lockTimeoutMs: number; readonly statementTimeoutMs: number } {
  return { lockTimeoutMs, statementTimeoutMs };
}
