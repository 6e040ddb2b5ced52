import { observeRelations, type Relation } from "../catalog/catalog.ts";
import { withSearchPath } from "./search_path.ts";
import { lockTable } from "./table_lock.ts";
import type { ApplyRequest } from "./request.ts";
import { sendRecord } from "./record_step.ts";
import { done, end, RolledBack, type Round } from "./round.ts";
import type { PlannedTable } from "../plan/planning.ts";
import type { Step } from "../plan/step.ts";
import type { OwnedTable } from "../registry/registry.ts";
import type { Transaction } from "../session/client.ts";
import type { Situation } from "../situation/situation.ts";
import type { LockMode, Statement } from "../statement/statement.ts";

/** A step, and all that was seen before it. */
export interface FoundStep {
  readonly situation: Situation;
  readonly row: OwnedTable;
  readonly plan: PlannedTable;
  readonly step: Step | undefined;
  readonly searchPath: readonly string[];
  /** What the history tells before the statements; see `failureNote()`. */
  readonly notes?: readonly string[];
}

/** Runs the statements of a step and writes down what the table is behind them. */
export async function execute<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  found: FoundStep,
): Promise<Round<F>> {
  const { situation, row, plan, step, searchPath, notes = [] } = found;
  const before = situation.kind === "owned" ? situation : undefined;
  const statements = step?.statements ?? [];
  const mode = strongestLock(statements);
  if (before !== undefined && mode !== undefined) await lockUnchanged(transaction, before, mode);
  const name = nameAfter(step, before?.basis.table.name ?? request.desired.name);
  const sent = withSearchPath(statements.map(({ sql }) => sql), searchPath).map((sql) => transaction.query(sql));
  const observed = observeRelations(transaction, { schema: request.desired.schema, names: [name], oids: [] });
  const [[relation]] = await Promise.all([observed, ...sent]);
  if (relation === undefined || (before !== undefined && relation.oid !== before.relation.oid)) {
    throw new Error(`the table ${request.desired.schema}.${name} is not there after its plan ran`);
  }
  const adopted = before?.adopting === true;
  const known = adopted ? { ...before.row, id: row.id } : row;
  const ran = { row: known, before: before?.relation, after: relation, plan, step, notes };
  const recorded = sendRecord(transaction, request, ran);
  if (step === undefined) return end({ ...done(relation, plan), adopted });
  const did = { kind: "ran", step, created: before === undefined, adopted } as const;
  if (situation.kind === "conflict") return did;
  const { targets, version } = situation;
  return { ...did, behind: { relation, recorded, targets, version } };
}

/**
 * All waiting happens here, bounded by lock_timeout; the statements behind it find their lock held. What somebody changed
 * by hand while we waited was not planned for, and must not be taken for what we made.
 */
async function lockUnchanged(
  transaction: Transaction,
  { relation, basis }: Extract<Situation, { readonly kind: "owned" }>,
  mode: LockMode,
): Promise<void> {
  await lockTable(transaction, basis.table, mode);
  const [locked] = await observeRelations(transaction, { schema: relation.schema, names: [], oids: [relation.oid] });
  const shape = (each: Relation) => JSON.stringify({ ...each, totalBytes: 0, relationBytes: 0, rowEstimate: 0 });
  if (locked === undefined || shape(locked) !== shape(relation)) throw new RolledBack({ kind: "again" });
}

function strongestLock(statements: readonly Statement[]): LockMode | undefined {
  const order: readonly LockMode[] = ["ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE"];
  // The first lock of each statement is that of the own table, whatever it is called by then.
  const own = statements.flatMap((statement) => statement.locks[0]?.mode ?? []);
  return order.find((mode) => own.includes(mode));
}

function nameAfter(step: Step | undefined, name: string): string {
  return (step?.changes ?? []).reduce((current, change) => change.kind === "RenameTable" ? change.to : current, name);
}
