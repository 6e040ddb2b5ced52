import { claimRow } from "./claim_row.ts";
import { declaredOfIndex, hashStatements } from "./record_step.ts";
import type { ApplyLimits, ApplyRequest } from "./request.ts";
import { end, RolledBack, type Round, roundOf } from "./round.ts";
import type { PlannedTable } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import { addMember, appendHistory } from "../registry/registry.ts";
import type { Database, Transaction } from "../session/client.ts";
import type { Situation } from "../situation/situation.ts";

/** A step of one statement that runs outside of any transaction. */
export interface ConcurrentWork<F> {
  readonly request: ApplyRequest<F>;
  readonly step: Step;
  readonly plan: PlannedTable;
  readonly situation: Situation;
}

/**
 * Runs one statement outside of any transaction. What it will make is registered as ours before, so that a crash leaves an
 * index that the next plan knows: valid and wanted, or invalid and rebuilt. So is the statement in the history: behind a
 * crash nobody could tell any more that it was begun.
 */
export async function runConcurrently<F>(
  database: Database,
  work: ConcurrentWork<F>,
  limits: ApplyLimits,
): Promise<Round<F>> {
  const { request: { desired }, step } = work;
  let searchPath: readonly string[] = [];
  const announced = await roundOf<F>(
    database.transaction({ ...limits, readOnly: false }, async (transaction) => {
      searchPath = await announce(transaction, work);
      return { kind: "ran", step, created: false, adopted: false };
    }),
  );
  if (announced.kind !== "ran") return announced;
  const lockName = `tablewright/${desired.schema}.${desired.name}`;
  for (const statement of step.statements) {
    const ran = await database.concurrently({ lockName, searchPath, signal: limits.signal }, statement.sql);
    if (!ran) return end({ kind: "busy" });
  }
  return announced;
}

/** @returns The schemas that the statement needs in its search path. */
async function announce<F>(
  transaction: Transaction,
  { request, step, plan, situation }: ConcurrentWork<F>,
): Promise<readonly string[]> {
  const { row } = await claimRow(transaction, request, "created");
  const verified = await request.verify(transaction, { plan, situation });
  if (verified.faults.length > 0) {
    throw new RolledBack(end({ kind: "refused", faults: verified.faults, statements: [] }));
  }
  for (const change of step.changes) {
    if (change.kind !== "CreateIndex" || change.index.name === undefined) continue;
    const { index: { name }, index } = change;
    await addMember(transaction, row.id, { kind: "index", name, declared: declaredOfIndex(index, name) });
  }
  await appendHistory(transaction, {
    id: row.id,
    generation: request.owner.generation,
    planHash: hashStatements(step.statements),
    statements: step.statements.map(({ sql }) => sql),
  });
  return verified.searchPath;
}
