import type { ApplyOutcome, ApplyRequest } from "./request.ts";
import type { Situation } from "../situation/situation.ts";

/** Why a situation cannot be changed by anything that we may do; `undefined` if it can. */
export function stopReason<F>(request: ApplyRequest<F>, situation: Situation): ApplyOutcome<F> | undefined {
  if (situation.kind === "conflict") return { kind: "conflict", conflict: situation.conflict };
  if (situation.kind === "absent" && situation.row === undefined && request.wasMade) {
    return { kind: "conflict", conflict: { kind: "DatabaseChanged", name: request.desired.name } };
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    return { kind: "noSchema", exists: situation.schema.exists };
  }
  return undefined;
}
