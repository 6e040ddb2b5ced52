import { APPROVE_ANNOTATION, type DatabaseTable } from "../../crds/database_table/types.ts";
import { forgetApproval } from "../../postgres/registry/approval.ts";
import { hasKopfMarks, TAKEN_OVER } from "../kopf_takeover.ts";
import type { PlanApproval } from "./verdict/approval.ts";
import type { Attempt } from "./attempt.ts";
import { ownerOf } from "./context.ts";
import { REGISTRY_LIMITS } from "./table_request.ts";

/**
 * Takes away what must not outlive the plan that ran: its approval, unless a foreign key still waits, and the marks of the
 * operator before us. Before anything is told: an object that is Ready is not looked at again after a start.
 *
 * @returns the object as it stands then.
 */
export async function letGo(
  attempt: Attempt,
  { approval, isDone }: { readonly approval: PlanApproval; readonly isDone: boolean },
): Promise<DatabaseTable> {
  const object = isDone && approval.isHeld ? await withoutApproval(attempt) : attempt.object;
  if (!hasKopfMarks(object.metadata)) return object;
  const { context, signal } = attempt;
  const ours = await context.objects.removeKopfMarks(object, signal);
  context.recordEvent(ours, TAKEN_OVER);
  return ours;
}

async function withoutApproval({ object, context, signal }: Attempt): Promise<DatabaseTable> {
  const owner = ownerOf(object, context.clusterId);
  await context.database.transaction(
    { ...REGISTRY_LIMITS, signal, readOnly: false },
    (transaction) => forgetApproval(transaction, owner),
  );
  if (object.metadata.annotations?.[APPROVE_ANNOTATION] === undefined) return object;
  return await context.objects.removeApproval(object, signal);
}
