import { observeRelations, type Relation } from "./catalog.ts";
import type { SchemaChange } from "./change.ts";
import type { Database, Transaction } from "./client.ts";
import { planTable } from "./plan.ts";
import { appendHistory, claim, findOwned, type Members, type OwnedTable, record, takeOver } from "./registry.ts";
import { type Claimant, type Conflict, observeSituation, ownRow, type Situation } from "./situation.ts";
import { type Statement, statementsFor } from "./statement.ts";
import { lockNames, lockTable } from "./table_lock.ts";
import type { Table } from "./table.ts";
import { type UnsafeType, unsafeTypes } from "./type_guard.ts";

/** What the caller decides about a plan: an empty list lets it run. `F` is the caller's kind of fault. */
export type Judge<F> = (changes: readonly SchemaChange[], situation: Situation) => readonly F[];

export interface ApplyRequest<F> extends Claimant {
  /** Of everything that the spec says about the table; kept with the row. */
  readonly specHash: string;
  readonly judge: Judge<F>;
}

export interface ApplyLimits {
  /** Longest wait for one lock, in milliseconds: so long may other users wait behind us. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal;
}

export type ApplyOutcome<F> =
  | { readonly kind: "unchanged"; readonly relation: Relation; readonly table: Table }
  | {
    readonly kind: "applied";
    readonly statements: readonly Statement[];
    readonly created: boolean;
    readonly relation: Relation;
  }
  | { readonly kind: "refused"; readonly faults: readonly F[] }
  | { readonly kind: "conflict"; readonly conflict: Conflict }
  /** The schema is not there, or the role may not create in it. */
  | { readonly kind: "noSchema"; readonly exists: boolean }
  /** Types whose values run somebody's code. */
  | { readonly kind: "unsafeTypes"; readonly unsafe: readonly UnsafeType[] }
  /** A newer generation of the same object has been here: this one has nothing to say any more. */
  | { readonly kind: "fenced" }
  /** Somebody else works on one of these names. */
  | { readonly kind: "busy" };

/**
 * Makes a table what it should be, or says why not. Everything happens in one transaction: locks, the claim of the
 * registry's row (the fence), a fresh observation, the judge, the statements, the record. What was true at admission, or
 * in an earlier transaction, decides nothing here.
 *
 * @throws {PostgresError} on every failure outside the plan.
 */
export async function applyTable<F>(
  database: Database,
  request: ApplyRequest<F>,
  limits: ApplyLimits,
): Promise<ApplyOutcome<F>> {
  const looked = await look(database, request, limits);
  if (looked !== "change") return looked;
  try {
    return await database.transaction({ ...limits, readOnly: false }, (transaction) => change(transaction, request));
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome as ApplyOutcome<F>;
    throw error;
  }
}

/** The cheap way out: nothing to do, or nothing that may be done. */
async function look<F>(
  database: Database,
  request: ApplyRequest<F>,
  limits: ApplyLimits,
): Promise<ApplyOutcome<F> | "change"> {
  const situation = await database.transaction(
    { ...limits, readOnly: true },
    (transaction) => observeSituation(transaction, request),
  );
  const stop = stopReason(request, situation);
  if (stop !== undefined) return stop;
  if (situation.kind !== "owned" || planTable(request.desired, situation.table).length > 0) return "change";
  const { row } = situation;
  const isRecorded = row.owner.uid === request.owner.uid && row.specHash === request.specHash &&
    row.oid !== undefined;
  return isRecorded ? { kind: "unchanged", relation: situation.relation, table: situation.table } : "change";
}

/** Why a situation cannot be changed by anything that we may do; `undefined` if it can. */
function stopReason<F>(request: ApplyRequest<F>, situation: Situation): ApplyOutcome<F> | undefined {
  if (situation.kind === "conflict") return { kind: "conflict", conflict: situation.conflict };
  if (situation.kind === "absent" && !situation.schema.mayCreate) {
    return { kind: "noSchema", exists: situation.schema.exists };
  }
  const observed = situation.kind === "owned" ? situation.table : undefined;
  const faults = request.judge(planTable(request.desired, observed), situation);
  return faults.length > 0 ? { kind: "refused", faults } : undefined;
}

async function change<F>(transaction: Transaction, request: ApplyRequest<F>): Promise<ApplyOutcome<F>> {
  const { desired } = request;
  const row = await claimRow(transaction, request);
  const names = [request.desired.name, row.table];
  if (!await lockNames(transaction, request.desired.schema, names)) throw new RolledBack({ kind: "busy" });
  // In statements of their own: what a holder of these locks committed before us is seen only now.
  const situation = await observeSituation(transaction, request);
  const stop = stopReason(request, situation);
  if (stop !== undefined) throw new RolledBack(stop);
  const unsafe = await unsafeTypes(transaction, desired.columns);
  if (unsafe.length > 0) throw new RolledBack({ kind: "unsafeTypes", unsafe });
  return await execute(transaction, request, { situation, row });
}

/** The fence: from here on no other operator changes what this object owns. */
async function claimRow<F>(transaction: Transaction, request: ApplyRequest<F>): Promise<OwnedTable> {
  const { owner, desired, specHash } = request;
  const retained = ownRow(
    await findOwned(transaction, { owner, schema: desired.schema, table: desired.name }),
    request,
  );
  if (retained !== undefined && retained.owner.uid !== owner.uid) await takeOver(transaction, retained, owner);
  const claimed = await claim(transaction, { owner, schema: desired.schema, table: desired.name, specHash });
  switch (claimed.kind) {
    case "claimed":
      return claimed.row;
    case "fenced":
      throw new RolledBack({ kind: "fenced" });
    case "ownedByOther": {
      const sameCluster = claimed.owner.clusterId === owner.clusterId;
      const conflict: Conflict = { kind: "OwnedByOther", name: desired.name, owner: claimed.owner, sameCluster };
      throw new RolledBack({ kind: "conflict", conflict });
    }
  }
}

async function execute<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  found: { readonly situation: Situation; readonly row: OwnedTable },
): Promise<ApplyOutcome<F>> {
  const { desired } = request;
  const before = found.situation.kind === "owned" ? found.situation : undefined;
  const changes = planTable(desired, before?.table);
  const statements = statementsFor(changes, before?.table ?? desired);
  // All waiting happens here, bounded by lock_timeout; the statements behind it find their lock held.
  if (before !== undefined && changes.length > 0) await lockTable(transaction, before.table);
  const ran = statements.map((statement) => transaction.query(statement.sql));
  const observed = observeRelations(transaction, { schema: desired.schema, names: [desired.name], oids: [] });
  const [[relation]] = await Promise.all([observed, ...ran]);
  if (relation === undefined || (before !== undefined && relation.oid !== before.relation.oid)) {
    throw new Error(`the table ${desired.schema}.${desired.name} is not there after its plan ran`);
  }
  await writeDown(transaction, request, { row: found.row, before: before?.relation, relation, statements });
  return statements.length === 0
    ? { kind: "unchanged", relation, table: desired }
    : { kind: "applied", statements, created: before === undefined, relation };
}

async function writeDown<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  result: {
    readonly row: OwnedTable;
    readonly before: Relation | undefined;
    readonly relation: Relation;
    readonly statements: readonly Statement[];
  },
): Promise<void> {
  const { owner, desired, specHash } = request;
  const { row, before, relation, statements } = result;
  const planHash = await hashStatements(statements);
  const declared = Object.fromEntries(
    desired.columns.flatMap((column) =>
      column.default === undefined ? [] : [[`default/${column.name}`, column.default]]
    ),
  );
  const history = { id: row.id, generation: owner.generation, planHash, statements: statements.map(({ sql }) => sql) };
  // Together: a failure of one that nobody waits for would end the process.
  await Promise.all([
    record(transaction, {
      owner,
      schema: desired.schema,
      table: desired.name,
      specHash,
      members: nextMembers(row.members, before, relation),
      declared,
    }),
    ...(statements.length > 0 ? [appendHistory(transaction, history)] : []),
  ]);
}

/**
 * What we made: the members before, with what this step added (names that PostgreSQL chose are read back by comparing),
 * without what is gone. What somebody else added by hand stood there before, and never becomes a member.
 */
export function nextMembers(members: Members, before: Relation | undefined, after: Relation): Members {
  const next = (known: readonly string[], was: readonly string[], is: readonly string[]) =>
    is.filter((name) => known.includes(name) || !was.includes(name));
  const names = (relation: Relation | undefined) => ({
    column: relation?.columns.map(({ name }) => name) ?? [],
    constraint: relation?.constraints.map(({ name }) => name) ?? [],
    index: relation?.indexes ?? [],
  });
  const was = names(before);
  const is = names(after);
  return {
    column: next(members.column, was.column, is.column),
    constraint: next(members.constraint, was.constraint, is.constraint),
    index: next(members.index, was.index, is.index),
  };
}

/** First 12 hexadecimal digits of the SHA-256 over the statements, joined by newlines: the name of a plan. */
export async function hashStatements(statements: readonly Statement[]): Promise<string> {
  const text = statements.map((statement) => statement.sql).join("\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 12);
}

/** Ends the transaction without its effects and carries the outcome out of it. */
class RolledBack extends Error {
  readonly outcome: ApplyOutcome<unknown>;

  constructor(outcome: ApplyOutcome<unknown>) {
    super("rolled back");
    this.outcome = outcome;
  }
}
