import type { ApplyOutcome, ApplyRequest } from "./request.ts";
import type { Situation } from "../situation/situation.ts";

/** Before PostgreSQL 15 the catalog is another one. */
const OLDEST_VERSION = 15;

/** The server is older than what this operator knows. */
export class UnsupportedServer extends Error {
  override readonly name = "UnsupportedServer";
}

/** Why a situation cannot be changed by anything that we may do; `undefined` if it can. */
export function stopReason<F>(request: ApplyRequest<F>, situation: Situation): ApplyOutcome<F> | undefined {
  if (situation.kind === "conflict") return { kind: "conflict", conflict: situation.conflict };
  if (situation.kind === "absent" && situation.row === undefined && request.wasMade) {
    return { kind: "conflict", conflict: { kind: "DatabaseChanged", name: request.desired.name } };
  }
  if (situation.version < OLDEST_VERSION) {
    throw new UnsupportedServer(
      `Cannot manage ${request.desired.schema}.${request.desired.name}: the server must be PostgreSQL ${OLDEST_VERSION} ` +
        `or newer: it is ${situation.version}`,
    );
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    return { kind: "noSchema", exists: situation.schema.exists };
  }
  return undefined;
}
