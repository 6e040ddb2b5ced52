import { rebind } from "./rebind.ts";
import { stopsNobody, withTime } from "./long_step.ts";
import { runConcurrently } from "./run_concurrently.ts";
import { dueStep, runTransaction } from "./run_transaction.ts";
import { isLost, stopReason } from "./stop_reason.ts";
import { undoFailed } from "./undo.ts";
import type { ApplyLimits, ApplyOutcome, ApplyRequest } from "./request.ts";
import { situationBehind } from "./behind.ts";
import { type Behind, done, end, type Round } from "./round.ts";
import { type PlannedTable, planSituation } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import type { OwnedTable } from "../registry/registry.ts";
import type { Database } from "../session/client.ts";
import { lookWithPrints, withPrints } from "../situation/look_with_prints.ts";
import { isAdopting, isUnbound, observeSituation, type Situation } from "../situation/situation.ts";
import type { Statement } from "../statement/statement.ts";

export type { ApplyLimits, ApplyOutcome, ApplyRequest, Judge, Verified } from "./request.ts";

/** More rounds than any plan has steps mean that a step does not do what it says. */
const MAX_ROUNDS = 200;

/**
 * Makes a table what it should be, step by step, or says why not. Each step is planned from a fresh observation, so what was
 * true at admission, or before a crash, decides nothing here. A transaction holds everything that belongs together: locks,
 * the claim of the registry's row (the fence), the observation, the judge, the statements, the record.
 *
 * @throws {PostgresError} on every failure outside the plan; what earlier steps did stays, and is planned on from.
 */
export async function applyTable<F>(
  database: Database,
  request: ApplyRequest<F>,
  limits: ApplyLimits,
): Promise<ApplyOutcome<F>> {
  const statements: Statement[] = [];
  let created = false;
  let adopted = false;
  let behind: Behind | undefined;
  for (let count = 0; count < MAX_ROUNDS; count++) {
    const round = count === 0 && request.isNew === true
      ? await make(database, request, limits)
      : await rest(request, behind) ?? await advance(database, request, limits);
    behind = round.kind === "ran" ? round.behind : undefined;
    switch (round.kind) {
      case "ran":
        statements.push(...round.step.statements);
        created ||= round.created;
        adopted ||= round.adopted;
        break;
      case "again":
        break;
      case "end":
        return withHistory(round.outcome, { statements, created, adopted });
    }
  }
  throw new Error(`the plan of ${request.desired.schema}.${request.desired.name} does not end`);
}

function withHistory<F>(
  outcome: ApplyOutcome<F>,
  history: { readonly statements: readonly Statement[]; readonly created: boolean; readonly adopted: boolean },
): ApplyOutcome<F> {
  switch (outcome.kind) {
    case "done":
      return { ...outcome, ...history, adopted: outcome.adopted || history.adopted };
    case "postponed":
      return { ...outcome, ...history };
    case "refused":
      return { ...outcome, statements: history.statements };
    default:
      return outcome;
  }
}

/** Makes a table without a look before the one behind all locks; whoever finds anything else there begins again. */
async function make<F>(database: Database, request: ApplyRequest<F>, limits: ApplyLimits): Promise<Round<F>> {
  const touchesOthers = request.desired.foreignKeys.length > 0;
  const work = { request, touchesOthers, stops: true, adopting: false, makesOnly: true };
  const round = await runTransaction(database, work, limits);
  // Inspected, it names every fault.
  return round.kind === "end" && round.outcome.kind === "refused" ? { kind: "again" } : round;
}

/** The end, if what the last transaction saw behind its own statements leaves nothing to do. */
async function rest<F>(request: ApplyRequest<F>, behind: Behind | undefined): Promise<Round<F> | undefined> {
  const situation = await situationBehind(request, behind);
  if (situation?.kind !== "owned") return undefined;
  const plan = await planSituation(request, situation);
  if (plan.steps.length + plan.waiting.length > 0) return undefined;
  const faults = await (request.inspect ?? request.judge)(plan, situation);
  return faults.length > 0 ? undefined : end(done(situation.relation, plan));
}

async function advance<F>(database: Database, asked: ApplyRequest<F>, limits: ApplyLimits): Promise<Round<F>> {
  const { claimant, situation } = await lookWithPrints(database, limits, async (prints) => {
    const claimant = withPrints(asked, prints);
    const options = { ...limits, readOnly: true };
    return {
      claimant,
      situation: await database.transaction(options, (transaction) => observeSituation(transaction, claimant)),
    };
  });
  const wasMade = claimant.wasMade && !await isLost(database, { request: claimant, situation }, limits);
  const request = { ...claimant, wasMade };
  const stop = stopReason(request, situation);
  if (stop !== undefined) return end(stop);
  if (situation.kind === "owned" && isUnbound(situation.row)) {
    return await rebind(database, situation, limits) ? { kind: "again" } : end({ kind: "busy" });
  }
  const plan = await planSituation(request, situation);
  const faults = await (request.inspect ?? request.judge)(plan, situation);
  if (faults.length > 0) return end({ kind: "refused", faults, statements: [] });
  const step = dueStep(plan, situation);
  if (
    step === undefined && situation.kind === "owned" && !isAdopting(situation) && isRecorded(situation.row, request)
  ) {
    return end(done(situation.relation, plan));
  }
  try {
    const work = { request, step, plan, situation };
    const round = await withTime(step, limits, (within) => run(database, work, within));
    return round ?? end({ kind: "postponed", statements: [], created: false, adopted: false });
  } catch (error) {
    if (step !== undefined) await undoFailed(database, { request, step, plan, error }, limits);
    throw error;
  }
}

async function run<F>(
  database: Database,
  work: {
    readonly request: ApplyRequest<F>;
    readonly step: Step | undefined;
    readonly plan: PlannedTable;
    readonly situation: Situation;
  },
  limits: ApplyLimits,
): Promise<Round<F>> {
  const { request, step, situation } = work;
  if (step?.kind === "Concurrent") return await runConcurrently(database, { ...work, step }, limits);
  const touchesOthers = step?.changes.some((change) => "foreignKey" in change || "references" in change) ?? false;
  const stops = step === undefined || !stopsNobody(step);
  return await runTransaction(database, { request, touchesOthers, stops, adopting: isAdopting(situation) }, limits);
}

function isRecorded<F>(row: OwnedTable, request: ApplyRequest<F>): boolean {
  return row.owner.uid === request.owner.uid && row.specHash === request.specHash && row.oid !== undefined;
}
