import type { SchemaChange } from "./change.ts";
import type { Relation } from "./catalog.ts";
import { observeRelations } from "./catalog.ts";
import type { Database, Transaction } from "./client.ts";
import { planTable } from "./plan.ts";
import { claim, forget, type Members, record } from "./registry.ts";
import { type Claimant, type Conflict, observeSituation, type Situation } from "./situation.ts";
import { dropTableStatement, type Statement, statementsFor } from "./statement.ts";
import { lockNames } from "./table_lock.ts";
import type { Table } from "./table.ts";

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
  return await database.transaction({ ...limits, readOnly: false }, (transaction) => change(transaction, request));
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
    row.owner.generation === request.owner.generation;
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
  const { owner, desired } = request;
  if (!await lockNames(transaction, desired.schema, [desired.name])) return { kind: "busy" };
  const claimed = await claim(transaction, {
    owner,
    schema: desired.schema,
    table: desired.name,
    specHash: request.specHash,
  });
  if (claimed.kind === "fenced") return { kind: "fenced" };
  if (claimed.kind === "ownedByOther") {
    const sameCluster = claimed.owner.clusterId === owner.clusterId;
    return {
      kind: "conflict",
      conflict: { kind: "OwnedByOther", name: desired.name, owner: claimed.owner, sameCluster },
    };
  }
  if (claimed.row.table !== desired.name && !await lockNames(transaction, desired.schema, [claimed.row.table])) {
    throw new Rollback({ kind: "busy" });
  }
  const situation = await observeSituation(transaction, request);
  const stop = stopReason(request, situation);
  if (stop !== undefined) throw new Rollback(stop);
  return await run(transaction, request, { situation, members: claimed.row.members });
}

/** Ends the transaction without its effects and carries the outcome out of it. */
class Rollback<F> extends Error {
  constructor(readonly outcome: ApplyOutcome<F>) {
    super("rolled back");
  }
}
