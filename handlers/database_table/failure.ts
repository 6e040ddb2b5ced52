import { KubeError } from "../../kube/client/client.ts";
import { LeadershipLost } from "../../kube/election/leadership.ts";
import { RegistryUntrusted, SuperuserRefused, UnsupportedServer } from "../../postgres/registry/registry_gate.ts";
import { StatementTimeout } from "../../postgres/apply/long_step.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { DatabaseUnusable } from "./server/unavailable.ts";

/** Reason of the condition; it is tried again less and less often. */
export const STATEMENT_TIMEOUT = "StatementTimeout";
const MAXIMUM_SQL_LENGTH = 500;

/** A failure outside the spec, in the words of the status. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly databaseReachable: boolean;
  /** Whether the controller's backoff decides; otherwise it is looked at again in some minutes. */
  readonly retryNow: boolean;
}

/** What users are told of a failure; `undefined` for those of the API server that say nothing about the table. */
export function failureOf(error: unknown): Failure | undefined {
  if ([RegistryUntrusted, SuperuserRefused, UnsupportedServer].some((known) => error instanceof known)) {
    const { name, message } = error as Error;
    return { reason: name, message, databaseReachable: true, retryNow: false };
  }
  if (error instanceof DatabaseUnusable) {
    const { reason, message } = error.why;
    // Whoever finds that it can be used brings the object back.
    return { reason, message, databaseReachable: false, retryNow: false };
  }
  if (error instanceof StatementTimeout) return timeoutFailure(error);
  if (error instanceof PostgresError) return databaseFailure(error);
  if (error instanceof KubeError) {
    if (error.status !== 403) return undefined;
    return { reason: "Forbidden", message: error.message, databaseReachable: true, retryNow: true };
  }
  // Another process leads, and will write what is to be said.
  if (error instanceof DOMException || error instanceof LeadershipLost) return undefined;
  // The stack is in the log; whoever looks at the object must not read that all is well.
  const message = "the operator failed in a way that nobody expected: see its log";
  return { reason: "InternalError", message, databaseReachable: true, retryNow: true };
}

/** To try again at once would take the same time, under the same lock. */
function timeoutFailure({ limitMs, statements }: StatementTimeout): Failure {
  const what = statements.join("; ").slice(0, MAXIMUM_SQL_LENGTH);
  const message =
    `a statement ran longer than changePolicy.statementTimeoutSeconds (${limitMs / 1_000}) and was undone: ` +
    `raise it, or make the change by hand: ${what}`;
  return { reason: STATEMENT_TIMEOUT, message, databaseReachable: true, retryNow: false };
}

function databaseFailure(error: PostgresError): Failure {
  const isConnected = error.sqlstate !== undefined && !/^(08|57P0|28|53300|3D000)/.test(error.sqlstate);
  return {
    reason: isConnected ? "ApplyFailed" : "DatabaseUnreachable",
    message: error.message,
    databaseReachable: isConnected,
    retryNow: error.kind !== "condition",
  };
}
