import {
  APPROVE_ANNOTATION,
  type DatabaseTable,
  type DefaultedTableSpec,
  TAKE_OVER_ANNOTATION,
} from "../../crds/database_table/types.ts";
import type { ApplyRequest } from "../../postgres/apply/apply.ts";
import type { PlannedTable, WantedTable } from "../../postgres/plan/planning.ts";
import { approvedStatements } from "../../postgres/registry/approval.ts";
import type { Table } from "../../postgres/table.ts";
import { PlanApproval } from "./approval.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import type { DesiredTable } from "./desired.ts";
import { inspectPlan, type Objection } from "./objections.ts";
import { refusePlan } from "./policy.ts";
import { verifyPlan } from "./verify.ts";

/** For statements on the registry alone, in milliseconds. */
export const REGISTRY_LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 } as const;

/** What decides about the plans of one object. */
export interface TableRequest {
  readonly object: DatabaseTable;
  readonly desired: DesiredTable;
  readonly approval: PlanApproval;
  /** Told of every plan before anybody judges it. */
  readonly onPlan: (plan: PlannedTable) => void;
}

/** What an object asks of `applyTable()`, and what the loop says to its plans. */
export function tableRequest(
  context: ReconcileContext,
  { object, desired, approval, onPlan }: TableRequest,
  signal: AbortSignal,
): Omit<ApplyRequest<Objection>, keyof WantedTable | "specHash"> {
  const { catalog, clusterId, objects, allowedFunctions: allowed } = context;
  const { uid, annotations } = object.metadata;
  const owner = ownerOf(object, clusterId);
  const takeOver = annotations?.[TAKE_OVER_ANNOTATION];
  return {
    owner,
    adoption: { policy: desired.adoptionPolicy, renames: desired.renames, takeOver },
    wasMade: object.status?.observed?.oid !== undefined,
    isLiving: async () => (await objects.read(object, signal))?.metadata.uid === uid,
    inspect: async (plan, situation) => {
      onPlan(plan);
      return await inspectPlan(catalog, { desired, approval, plan, situation }, signal);
    },
    verify: async (transaction, seen) => {
      const verified = await verifyPlan(transaction, desired, { ...seen, allowed });
      const needed = await approval.objection(seen.plan);
      if (needed !== undefined) return { ...verified, faults: [...verified.faults, needed] };
      await approval.record(transaction, owner);
      return verified;
    },
    judge: (plan, situation) => refusePlan({ desired, plan, situation }).map(({ error }) => error),
  };
}

/** What is approved of an object's plans: by its annotation, and by the registry, which knows of plans that have begun. */
export async function readApproval(
  context: ReconcileContext,
  { object, spec }: { readonly object: DatabaseTable; readonly spec: DefaultedTableSpec | undefined },
  signal: AbortSignal,
): Promise<PlanApproval> {
  const policy = spec?.approval ?? "Automatic";
  const owner = ownerOf(object, context.clusterId);
  const remembered = policy === "Automatic" ? [] : await context.database.transaction(
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

/** SHA-256 of a table as it is wanted, in hexadecimal digits. */
export async function hashOf(table: Table): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(table)));
  return new Uint8Array(digest).toHex();
}
