import { claimRow } from "./claim_row.ts";
import { execute } from "./execute.ts";
import { hashStatements } from "./record_step.ts";
import type { ApplyLimits, ApplyRequest } from "./request.ts";
import { RolledBack } from "./round.ts";
import { lockNames } from "./table_lock.ts";
import type { SchemaChange } from "../change.ts";
import { dropHelper } from "../plan/helper.ts";
import type { PlannedTable } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import { appendHistory } from "../registry/registry.ts";
import type { Database, Transaction } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import { observeSituation, type Situation } from "../situation/situation.ts";
import { statementsOf } from "../statement/statement.ts";

/** `check_violation` and `unique_violation`: rows that were there before forbid the change. */
const FORBIDDEN_BY_ROWS: ReadonlySet<string> = new Set(["23514", "23505"]);

/** A step that failed, with the plan that it is of. */
export interface FailedStep<F> {
  readonly request: ApplyRequest<F>;
  readonly step: Step;
  readonly plan: PlannedTable;
  readonly error: unknown;
}

/**
 * Takes away what a step left behind that failed because of rows, and writes the failure down. The helper check on the way
 * to NOT NULL, and a unique index that was not finished, would go on to refuse new rows for a change that was refused.
 *
 * What fails here is tried again with the next plan: the error of the step is the one that counts.
 */
export async function undoFailed<F>(database: Database, failed: FailedStep<F>, limits: ApplyLimits): Promise<void> {
  const { step, error } = failed;
  if (!(error instanceof PostgresError) || limits.signal.aborted) return;
  const isForbidden = FORBIDDEN_BY_ROWS.has(error.sqlstate ?? "") && step.changes.some(leavesBehind);
  if (!isForbidden && step.kind !== "Concurrent") return;
  try {
    await database.transaction({ ...limits, readOnly: false }, (transaction) => undo(transaction, failed, isForbidden));
  } catch (second) {
    if (!(second instanceof PostgresError || second instanceof RolledBack)) throw second;
  }
}

function leavesBehind(change: SchemaChange): boolean {
  return change.kind === "ValidateConstraint" || change.kind === "CreateIndex";
}

async function undo<F>(
  transaction: Transaction,
  failed: FailedStep<F>,
  isForbidden: boolean,
): Promise<void> {
  const { request, step, plan, error } = failed;
  const { row } = await claimRow(transaction, request, "created");
  const { desired } = request;
  const names = [desired, { schema: row.schema, name: row.table }];
  if (isForbidden && await lockNames(transaction, names)) {
    const situation = await observeSituation(transaction, request);
    const changes = leftBehind(step, situation);
    if (situation.kind === "owned" && changes.length > 0) {
      const { version, basis: { table: observed } } = situation;
      const options = { ...desired, name: observed.name, version, mode: "Direct", isNew: false, observed } as const;
      const statements = changes.flatMap((change) => statementsOf(change, options));
      const undoing: Step = { kind: "Transaction", changes, statements };
      const notes = failureNotes(step, error);
      await execute(transaction, request, { situation, row, plan, step: undoing, searchPath: [], notes });
      return;
    }
  }
  await appendHistory(transaction, {
    id: row.id,
    generation: request.owner.generation,
    planHash: hashStatements(step.statements),
    statements: failureNotes(step, error),
  });
}

/** What of a failed step stands there and refuses rows: of ours, and never finished. */
function leftBehind(step: Step, situation: Situation): readonly SchemaChange[] {
  if (situation.kind !== "owned") return [];
  const { helpers, table } = situation.basis;
  return step.changes.flatMap((change): readonly SchemaChange[] => {
    if (change.kind === "ValidateConstraint") {
      return helpers.filter(({ name, validated }) => name === change.name && !validated).map(dropHelper);
    }
    if (change.kind !== "CreateIndex") return [];
    return table.indexes.flatMap(({ name, valid }) =>
      name === undefined || valid || name !== change.index.name ? [] : [{ kind: "DropIndex", name } as const]
    );
  });
}

/** A comment of SQL, so that the history can still be read as a script; never a value of a row. */
function failureNotes({ statements }: Step, error: unknown): readonly string[] {
  const sqlstate = error instanceof PostgresError ? error.sqlstate : undefined;
  const why = sqlstate === undefined ? "the connection was lost" : `SQLSTATE ${sqlstate}`;
  return statements.map(({ sql }) => `-- failed, ${why}: ${sql.replaceAll(/\s+/g, " ")}`);
}
