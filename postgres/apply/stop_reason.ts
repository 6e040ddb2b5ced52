import { readDatabaseId } from "../registry/epoch.ts";
import type { Database } from "../session/client.ts";
import type { ApplyLimits, ApplyOutcome, ApplyRequest } from "./request.ts";
import type { Situation } from "../situation/situation.ts";

/**
 * Whether the table and all that the registry knew of it are gone from the database in which it was made: somebody put the server back to
 * a time before that, or a failover has lost the commit. Then the spec is applied as if it never had been.
 */
export async function isLost<F>(
  database: Database,
  { request, situation }: { readonly request: ApplyRequest<F>; readonly situation: Situation },
  limits: ApplyLimits,
): Promise<boolean> {
  if (!isWithoutTrace(request, situation) || request.madeIn === undefined) return false;
  return await database.transaction({ ...limits, readOnly: true }, readDatabaseId) === request.madeIn;
}

function isWithoutTrace<F>({ wasMade }: ApplyRequest<F>, situation: Situation): boolean {
  return wasMade && situation.kind === "absent" && situation.row === undefined;
}

/** Why a situation cannot be changed by anything that we may do; `undefined` if it can. */
export function stopReason<F>(request: ApplyRequest<F>, situation: Situation): ApplyOutcome<F> | undefined {
  if (situation.kind === "conflict") return { kind: "conflict", conflict: situation.conflict };
  if (isWithoutTrace(request, situation)) {
    return { kind: "conflict", conflict: { kind: "DatabaseChanged", name: request.desired.name } };
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    return { kind: "noSchema", exists: situation.schema.exists };
  }
  return undefined;
}
