import { stopsNobody } from "./long_step.ts";
import { lockNames, lockTable, type TableName } from "./table_lock.ts";
import { type ClaimedRow, claimRow } from "./claim_row.ts";
import { execute } from "./execute.ts";
import type { ApplyLimits, ApplyRequest } from "./request.ts";
import { end, RolledBack, type Round, roundOf } from "./round.ts";
import { stopReason } from "./stop_reason.ts";
import { type PlannedTable, planSituation } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import type { OwnedTable } from "../registry/registry.ts";
import type { Database, Transaction } from "../session/client.ts";
import { isAdopting, isUnbound, observeSituation, type Situation } from "../situation/situation.ts";

/** A step that only records. */
const NOTHING: Step = { kind: "Transaction", changes: [], statements: [] };

/** What is to be run first. What runs outside of any transaction comes when the table is ours. */
export function dueStep({ steps: [step] }: PlannedTable, situation: Situation): Step | undefined {
  return step?.kind === "Concurrent" && isAdopting(situation) ? NOTHING : step;
}

/** What is about to run. */
export interface Work<F> {
  readonly request: ApplyRequest<F>;
  /** Whether the step that is due locks the tables that foreign keys refer to. */
  readonly touchesOthers: boolean;
  /** Whether users of the table may wait for the step that is due: only another one has all the time in the world. */
  readonly stops: boolean;
  /** Whether a table that nobody owned is about to become the object's. */
  readonly adopting: boolean;
  /** Whether nothing but a new table is to be made: what stands there was not inspected. */
  readonly makesOnly?: boolean;
}

/** Plans again behind all locks, and runs the first step of that plan. */
export async function runTransaction<F>(
  database: Database,
  work: Work<F>,
  limits: ApplyLimits,
): Promise<Round<F>> {
  return await roundOf(
    database.transaction({ ...limits, readOnly: false }, (transaction) => change(transaction, work)),
  );
}

async function change<F>(transaction: Transaction, work: Work<F>): Promise<Round<F>> {
  const { request } = work;
  const { row, situation } = work.adopting
    ? await lockAndLook(transaction, work)
    : await lockAndLookAtOnce(transaction, work);
  const stop = stopReason(request, situation);
  if (stop !== undefined) throw new RolledBack(end(stop));
  const isOther = situation.kind === "owned" && isUnbound(situation.row);
  const isUnseen = work.makesOnly === true && situation.kind !== "absent";
  if (isOther || isUnseen || isAdopting(situation) !== work.adopting) throw new RolledBack({ kind: "again" });
  const plan = await planSituation(request, situation);
  const verified = await request.verify(transaction, { plan, situation });
  const faults = [...request.judge(plan, situation), ...verified.faults];
  if (faults.length > 0) throw new RolledBack(end({ kind: "refused", faults, statements: [] }));
  const step = dueStep(plan, situation);
  if (step?.kind === "Concurrent" || (step !== undefined && !work.stops && !stopsNobody(step))) {
    throw new RolledBack({ kind: "again" });
  }
  return await execute(transaction, request, { situation, row, plan, step, searchPath: verified.searchPath });
}

/** What is there behind the fence and all locks. */
interface Held {
  readonly row: OwnedTable;
  readonly situation: Situation;
}

/**
 * One round trip: the server runs what was sent together one by one, so that the look sees what a holder of these locks
 * committed before us.
 */
async function lockAndLookAtOnce<F>(transaction: Transaction, work: Work<F>): Promise<Held> {
  const { request } = work;
  const [claimed, isLocked, situation] = await Promise.all([
    claimRow(transaction, request, "created"),
    lockNames(transaction, namesOf(work)),
    observeSituation(transaction, request),
  ]);
  if (!isLocked) throw new RolledBack(end({ kind: "busy" }));
  const { row, isAtOnce } = claimed;
  const isWhereWanted = row.schema === request.desired.schema && row.table === request.desired.name;
  return isAtOnce && isWhereWanted ? { row, situation } : await lookAgain(transaction, work, claimed);
}

async function lockAndLook<F>(transaction: Transaction, work: Work<F>): Promise<Held> {
  const claimed = await claimRow(transaction, work.request, "adopted");
  return await lookAgain(transaction, work, claimed);
}

async function lookAgain<F>(transaction: Transaction, work: Work<F>, { row }: ClaimedRow): Promise<Held> {
  const { request, adopting } = work;
  const names = [...namesOf(work), { schema: row.schema, name: row.table }];
  if (!await lockNames(transaction, names)) throw new RolledBack(end({ kind: "busy" }));
  // What is recorded of it as ours must be what was judged.
  if (adopting) await lockTable(transaction, request.desired, "SHARE UPDATE EXCLUSIVE");
  return { row, situation: await observeSituation(transaction, request) };
}

/** The wanted name, and what foreign keys refer to: two operators must not plan the same at the same time. */
function namesOf<F>({ request, touchesOthers }: Work<F>): readonly TableName[] {
  const { desired } = request;
  const others = touchesOthers ? desired.foreignKeys : [];
  return [
    { schema: desired.schema, name: desired.name },
    ...others.map(({ references }) => ({ schema: references.schema, name: references.table })),
  ];
}
