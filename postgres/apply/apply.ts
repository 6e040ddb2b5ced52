import { observeRelations, type Relation } from "../catalog/catalog.ts";
import { type PlannedTable, planSituation, type WantedTable } from "../plan/planning.ts";
import { rebind } from "./rebind.ts";
import { declaredOfIndex, writeDown } from "./record_step.ts";
import { addMember, claim, findOwned, forget, type OwnedTable, takeOver } from "../registry/registry.ts";
import { type Database, searchPathOf, type Transaction } from "../session/client.ts";
import {
  type Claimant,
  type Conflict,
  isNeverRecorded,
  isUnbound,
  observeSituation,
  ownRow,
  type Situation,
} from "../situation/situation.ts";
import type { LockMode, Statement } from "../statement/statement.ts";
import type { Step } from "../plan/step.ts";
import { quoteLiteral } from "../text/identifier.ts";
import { lockNames, lockTable, type TableName } from "./table_lock.ts";
import type { ForeignKey } from "../table.ts";

/** What the caller decides about a plan: an empty list lets it run. `F` is the caller's kind of fault. */
export type Judge<F> = (plan: PlannedTable, situation: Situation) => readonly F[];

export interface ApplyRequest<F> extends Claimant, WantedTable {
  /** Of everything that the spec says about the table; kept with the row. */
  readonly specHash: string;
  /** Whether this object has had a table before: then it is never made again in silence in another database. */
  readonly wasMade: boolean;
  /** Whether the object under this uid is the living one; asked past every cache before it takes a retained table. */
  readonly isLiving: () => Promise<boolean>;
  /** What only the catalog knows of a plan, asked in the transaction that is about to run it. */
  readonly verify: (
    transaction: Transaction,
    seen: { readonly plan: PlannedTable; readonly situation: Situation },
  ) => Promise<Verified<F>>;
  readonly judge: Judge<F>;
}

/** What the catalog says to a plan. */
export interface Verified<F> {
  readonly faults: readonly F[];
  /** Schemas of extensions whose functions and operators the plan's expressions call. */
  readonly searchPath: readonly string[];
}

export interface ApplyLimits {
  /** Longest wait for one lock, in milliseconds: so long may other users wait behind us. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
}

export type ApplyOutcome<F> =
  /** The table is as it is wanted. `statements` are those that this call ran. */
  | {
    readonly kind: "done";
    readonly statements: readonly Statement[];
    readonly created: boolean;
    /** The table was there before, and is the object's from now on. */
    readonly adopted: boolean;
    readonly relation: Relation;
    /** Foreign keys to tables that are not there yet. */
    readonly waiting: readonly ForeignKey[];
  }
  | { readonly kind: "refused"; readonly faults: readonly F[]; readonly statements: readonly Statement[] }
  | { readonly kind: "conflict"; readonly conflict: Conflict }
  /** The schema is not there, or the role may not create in it. */
  | { readonly kind: "noSchema"; readonly exists: boolean }
  /** A newer generation of the same object has been here: this one has nothing to say any more. */
  | { readonly kind: "fenced"; readonly generation: number }
  /** Somebody else works on one of these names. */
  | { readonly kind: "busy" };

/** What one round did. */
type Round<F> =
  | { readonly kind: "ran"; readonly step: Step; readonly created: boolean; readonly adopted: boolean }
  | { readonly kind: "again" }
  | { readonly kind: "end"; readonly outcome: ApplyOutcome<F> };

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
  for (let count = 0; count < MAX_ROUNDS; count++) {
    const round = await advance(database, request, limits);
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
    case "refused":
      return { ...outcome, statements: history.statements };
    default:
      return outcome;
  }
}

async function advance<F>(database: Database, request: ApplyRequest<F>, limits: ApplyLimits): Promise<Round<F>> {
  const situation = await database.transaction(
    { ...limits, readOnly: true },
    (transaction) => observeSituation(transaction, request),
  );
  const stop = stopReason(request, situation);
  if (stop !== undefined) return end(stop);
  if (situation.kind === "owned" && isUnbound(situation.row)) {
    return await rebind(database, situation, limits) ? { kind: "again" } : end({ kind: "busy" });
  }
  const plan = await planSituation(request, situation);
  const faults = request.judge(plan, situation);
  if (faults.length > 0) return end({ kind: "refused", faults, statements: [] });
  const [step] = plan.steps;
  const adopting = isAdopting(situation);
  if (step === undefined && situation.kind === "owned" && !adopting && isRecorded(situation.row, request)) {
    return end(done(situation.relation, plan));
  }
  if (step?.kind === "Concurrent") return await runConcurrently(database, { request, step, plan, situation }, limits);
  const touchesOthers = step?.changes.some((change) => "foreignKey" in change || "references" in change) ?? false;
  return await runTransaction(database, { request, touchesOthers, adopting }, limits);
}

function isRecorded<F>(row: OwnedTable, request: ApplyRequest<F>): boolean {
  return row.owner.uid === request.owner.uid && row.specHash === request.specHash && row.oid !== undefined;
}

function isAdopting(situation: Situation): boolean {
  return situation.kind === "owned" && situation.adopting === true;
}

/** Why a situation cannot be changed by anything that we may do; `undefined` if it can. */
function stopReason<F>(request: ApplyRequest<F>, situation: Situation): ApplyOutcome<F> | undefined {
  if (situation.kind === "conflict") return { kind: "conflict", conflict: situation.conflict };
  if (situation.kind === "absent" && situation.row === undefined && request.wasMade) {
    return { kind: "conflict", conflict: { kind: "DatabaseChanged", name: request.desired.name } };
  }
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    return { kind: "noSchema", exists: situation.schema.exists };
  }
  return undefined;
}

interface Work<F> {
  readonly request: ApplyRequest<F>;
  /** Whether the step that is due locks the tables that foreign keys refer to. */
  readonly touchesOthers: boolean;
  /** Whether a table that nobody owned is about to become the object's. */
  readonly adopting: boolean;
}

async function runTransaction<F>(
  database: Database,
  work: Work<F>,
  limits: ApplyLimits,
): Promise<Round<F>> {
  try {
    return await database.transaction({ ...limits, readOnly: false }, (transaction) => change(transaction, work));
  } catch (error) {
    if (error instanceof RolledBack) return error.round as Round<F>;
    throw error;
  }
}

async function change<F>(transaction: Transaction, work: Work<F>): Promise<Round<F>> {
  const { request } = work;
  const row = await claimRow(transaction, request, work.adopting ? "adopted" : "created");
  if (!await lockNames(transaction, namesOf(work, row))) throw new RolledBack(end({ kind: "busy" }));
  // What is recorded of it as ours must be what was judged.
  if (work.adopting) await lockTable(transaction, request.desired, "SHARE UPDATE EXCLUSIVE");
  // In statements of their own: what a holder of these locks committed before us is seen only now.
  const situation = await observeSituation(transaction, request);
  const stop = stopReason(request, situation);
  if (stop !== undefined) throw new RolledBack(end(stop));
  const isOther = situation.kind === "owned" && isUnbound(situation.row);
  if (isOther || isAdopting(situation) !== work.adopting) throw new RolledBack({ kind: "again" });
  const plan = await planSituation(request, situation);
  const verified = await request.verify(transaction, { plan, situation });
  const faults = [...request.judge(plan, situation), ...verified.faults];
  if (faults.length > 0) throw new RolledBack(end({ kind: "refused", faults, statements: [] }));
  const [step] = plan.steps;
  if (step?.kind === "Concurrent") throw new RolledBack({ kind: "again" });
  return await execute(transaction, request, { situation, row, plan, step, searchPath: verified.searchPath });
}

/** Both names of the table, and what its foreign keys refer to: two operators must not plan the same at the same time. */
function namesOf<F>({ request, touchesOthers }: Work<F>, row: OwnedTable): readonly TableName[] {
  const { desired } = request;
  const others = touchesOthers ? desired.foreignKeys : [];
  return [
    { schema: desired.schema, name: desired.name },
    { schema: row.schema, name: row.table },
    ...others.map(({ references }) => ({ schema: references.schema, name: references.table })),
  ];
}

/** The fence: from here on no other operator changes what this object owns. */
async function claimRow<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  origin: OwnedTable["origin"],
): Promise<OwnedTable> {
  const { owner, desired, specHash } = request;
  const retained = ownRow(
    await findOwned(transaction, { owner, schema: desired.schema, table: desired.name }),
    request,
  );
  if (retained !== undefined && retained.owner.uid !== owner.uid) {
    // A frozen watch may still show the predecessor of an object that has the row by now.
    if (!await request.isLiving()) throw new RolledBack(end({ kind: "busy" }));
    await takeOver(transaction, retained, owner);
  }
  const wanted = { owner, schema: desired.schema, table: desired.name, specHash, origin };
  let claimed = await claim(transaction, wanted);
  if (claimed.kind === "claimed" && isNeverRecorded(claimed.row) && claimed.row.origin !== origin) {
    // It owns nothing, but would say of what it will own that it began otherwise.
    await forget(transaction, claimed.row.id);
    claimed = await claim(transaction, wanted);
  }
  switch (claimed.kind) {
    case "claimed":
      return claimed.row;
    case "fenced":
      throw new RolledBack(end({ kind: "fenced", generation: claimed.generation }));
    case "ownedByOther": {
      const sameCluster = claimed.owner.clusterId === owner.clusterId;
      const conflict: Conflict = { kind: "OwnedByOther", name: desired.name, owner: claimed.owner, sameCluster };
      throw new RolledBack(end({ kind: "conflict", conflict }));
    }
  }
}

async function execute<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  found: {
    readonly situation: Situation;
    readonly row: OwnedTable;
    readonly plan: PlannedTable;
    readonly step: Step | undefined;
    readonly searchPath: readonly string[];
  },
): Promise<Round<F>> {
  const { situation, row, plan, step, searchPath } = found;
  const before = situation.kind === "owned" ? situation : undefined;
  const statements = step?.statements ?? [];
  const mode = strongestLock(statements);
  if (before !== undefined && mode !== undefined) await lockUnchanged(transaction, before, mode);
  const name = nameAfter(step, before?.basis.table.name ?? request.desired.name);
  const ran = withSearchPath(statements.map(({ sql }) => sql), searchPath).map((sql) => transaction.query(sql));
  const observed = observeRelations(transaction, { schema: request.desired.schema, names: [name], oids: [] });
  const [[relation]] = await Promise.all([observed, ...ran]);
  if (relation === undefined || (before !== undefined && relation.oid !== before.relation.oid)) {
    throw new Error(`the table ${request.desired.schema}.${name} is not there after its plan ran`);
  }
  const adopted = before?.adopting === true;
  const known = adopted ? { ...before.row, id: row.id } : row;
  await writeDown(transaction, request, { row: known, before: before?.relation, after: relation, plan, step });
  if (step === undefined) return end({ ...done(relation, plan), adopted });
  return { kind: "ran", step, created: before === undefined, adopted };
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

/** Behind the statements the path is as before: what the catalog prints must not depend on it. */
function withSearchPath(statements: readonly string[], schemas: readonly string[]): readonly string[] {
  if (schemas.length === 0) return statements;
  return [setSearchPath(searchPathOf(schemas)), ...statements, setSearchPath(searchPathOf([]))];
}

function setSearchPath(path: string): string {
  return `SELECT set_config('search_path', ${quoteLiteral(path)}, true)`;
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

/**
 * Runs one statement outside of any transaction. What it will make is registered as ours before, so that a crash leaves an
 * index that the next plan knows: valid and wanted, or invalid and rebuilt.
 */
async function runConcurrently<F>(
  database: Database,
  work: {
    readonly request: ApplyRequest<F>;
    readonly step: Step;
    readonly plan: PlannedTable;
    readonly situation: Situation;
  },
  limits: ApplyLimits,
): Promise<Round<F>> {
  const { request, step, plan, situation } = work;
  const { desired } = request;
  let searchPath: readonly string[] = [];
  try {
    await database.transaction({ ...limits, readOnly: false }, async (transaction) => {
      const row = await claimRow(transaction, request, "created");
      const verified = await request.verify(transaction, { plan, situation });
      if (verified.faults.length > 0) {
        throw new RolledBack(end({ kind: "refused", faults: verified.faults, statements: [] }));
      }
      searchPath = verified.searchPath;
      for (const change of step.changes) {
        if (change.kind !== "CreateIndex" || change.index.name === undefined) continue;
        const { index } = change;
        await addMember(transaction, row.id, {
          kind: "index",
          name: index.name ?? "",
          declared: declaredOfIndex(index, index.name ?? ""),
        });
      }
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.round as Round<F>;
    throw error;
  }
  const lockName = `tablewright/${desired.schema}.${desired.name}`;
  for (const statement of step.statements) {
    const ran = await database.concurrently({ lockName, searchPath, signal: limits.signal }, statement.sql);
    if (!ran) return end({ kind: "busy" });
  }
  return { kind: "ran", step, created: false, adopted: false };
}

function done<F>(relation: Relation, plan: PlannedTable): Extract<ApplyOutcome<F>, { readonly kind: "done" }> {
  return { kind: "done", statements: [], created: false, adopted: false, relation, waiting: plan.waiting };
}

function end<F>(outcome: ApplyOutcome<F>): Round<F> {
  return { kind: "end", outcome };
}

/** Ends the transaction without its effects and carries the round out of it. */
class RolledBack extends Error {
  readonly round: Round<unknown>;

  constructor(round: Round<unknown>) {
    super("rolled back");
    this.round = round;
  }
}
