import { FIXED, type Transaction } from "../session/client.ts";
import { adoptEpoch, SAME_EPOCH } from "./epoch.ts";
import type { Expressions } from "./expressions.ts";
import { FINGERPRINT_OF_ONE } from "./fingerprint.ts";
import type { MemberKind, Members } from "./members.ts";
import type { Relation } from "../catalog/relation.ts";
import { arrayLiteral } from "../session/parameter.ts";

export { adoptEpoch } from "./epoch.ts";
export type { Expressions } from "./expressions.ts";
export type { Members } from "./members.ts";
export { ensureRegistry, registryFaults } from "./registry_bootstrap.ts";

/** The object that a table belongs to. */
export interface Owner {
  /** Of the cluster: the uid of its namespace kube-system. */
  readonly clusterId: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of the object when it last claimed: a lower one of the same uid is fenced. */
  readonly generation: number;
}

/** A row of the registry. */
export interface OwnedTable {
  readonly id: string;
  readonly schema: string;
  readonly table: string;
  /**
   * `undefined` until the first record, and in another epoch: then the table is found by name, and neither `fingerprint`
   * nor the stored half of `expressions` says anything.
   */
  readonly oid: number | undefined;
  readonly owner: Owner;
  readonly specHash: string;
  readonly origin: "created" | "adopted";
  readonly members: Members;
  readonly expressions: Expressions;
  /** See `FINGERPRINT_OF_ONE`; "0" until the first record. */
  readonly fingerprint: string;
  /** The row was written on another server, database or major version (a restored dump, an upgrade). */
  readonly epochChanged: boolean;
}

export interface ClaimRequest {
  readonly owner: Owner;
  readonly schema: string;
  readonly table: string;
  readonly specHash: string;
  /** Of a row that is new; `created` if absent. */
  readonly origin?: "created" | "adopted";
}

export type Claim =
  /** The row is ours and locked until the end of the transaction; it has the old name if the table is to be renamed. */
  | { readonly kind: "claimed"; readonly row: OwnedTable }
  /** A later generation of the same object was here. */
  | { readonly kind: "fenced"; readonly generation: number }
  | { readonly kind: "ownedByOther"; readonly owner: Owner; readonly row: OwnedTable };

export interface RecordRequest {
  readonly owner: Owner;
  readonly specHash: string;
  /** Read in the same transaction, behind everything that it changed. */
  readonly relation: Pick<Relation, "oid">;
  /** See `nextMembers()`. */
  readonly members: Members;
  /** See `nextExpressions()`. */
  readonly expressions: Expressions;
}

/** Something that the next statement makes. */
export interface NewMember {
  readonly kind: MemberKind;
  readonly name: string;
  /** Its expressions by `expressionKey`. */
  readonly declared: Readonly<Record<string, string>>;
}

export interface HistoryEntry {
  /** {@linkcode OwnedTable.id}. */
  readonly id: string;
  readonly generation: number;
  readonly planHash: string;
  readonly statements: readonly string[];
}

/** Rows of an owner, of a name, or both. */
export interface OwnedQuery {
  readonly owner?: Pick<Owner, "clusterId" | "uid">;
  readonly schema?: string;
  readonly table?: string;
}

interface Row {
  readonly id: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly oid: number | null;
  readonly cluster_id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: string;
  readonly spec_hash: string;
  readonly origin: "created" | "adopted";
  readonly members: Partial<Members>;
  readonly expressions: OwnedTable["expressions"];
  readonly fingerprint: string;
  readonly same_epoch: boolean;
}

const CLAIM_TRIES = 4;

const COLUMNS = `id, schema_name, table_name, oid, cluster_id, namespace, name, uid, generation, spec_hash, origin,
  members, expressions, fingerprint, ${SAME_EPOCH} AS same_epoch`;

// $1 schema, $2 table, $3 cluster, $4 uid, $5 generation, $6 namespace, $7 name, $8 spec hash, $9 origin.
// Nothing in it raises 23505, which would end the transaction.
const CLAIM = `WITH others AS (
  SELECT * FROM tablewright.owned_table o WHERE o.schema_name = $1 AND o.table_name = $2
    AND NOT (o.cluster_id = $3::uuid AND o.uid = $4::uuid)
), mine AS (
  UPDATE tablewright.owned_table o SET generation = $5::bigint, namespace = $6, name = $7
  WHERE o.cluster_id = $3::uuid AND o.uid = $4::uuid AND o.generation <= $5::bigint AND NOT EXISTS (SELECT FROM others)
  RETURNING o.*
), made AS (
  INSERT INTO tablewright.owned_table AS o (schema_name, table_name, cluster_id, namespace, name, uid, generation,
    spec_hash, origin, members, expressions, fingerprint)
  SELECT $1, $2, $3::uuid, $6, $7, $4::uuid, $5::bigint, $8, $9, '{}', '{}', 0 WHERE NOT EXISTS (SELECT FROM others)
    AND NOT EXISTS (SELECT FROM tablewright.owned_table o WHERE o.cluster_id = $3::uuid AND o.uid = $4::uuid)
  ON CONFLICT DO NOTHING RETURNING o.*
)
SELECT 'claimed' AS outcome, ${COLUMNS} FROM mine
UNION ALL SELECT 'claimed', ${COLUMNS} FROM made
UNION ALL SELECT 'ownedByOther', ${COLUMNS} FROM others
UNION ALL SELECT 'fenced', ${COLUMNS} FROM tablewright.owned_table o
  WHERE o.cluster_id = $3::uuid AND o.uid = $4::uuid AND o.generation > $5::bigint AND NOT EXISTS (SELECT FROM others)`;

/**
 * Makes or locks the owner's row: the first statement of every transaction that writes, and its fence. It never fails
 * because of another owner: the transaction goes on. Rows of another epoch are made ours on the way (`adoptEpoch()`).
 */
export async function claim(transaction: Transaction, request: ClaimRequest): Promise<Claim> {
  const { owner, schema, table, specHash, origin = "created" } = request;
  const { clusterId, uid, generation, namespace, name } = owner;
  const parameters = [schema, table, clusterId, uid, generation, namespace, name, specHash, origin];
  // No row at all: somebody made or deleted one while we waited for it, and a new look sees that.
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    const [row] = await transaction.query<Row & { readonly outcome: Claim["kind"] }>(CLAIM, parameters, FIXED);
    if (row === undefined) continue;
    if (row.outcome === "claimed" && !row.same_epoch) await adoptEpoch(transaction);
    return claimOf(row.outcome, ownedTable(row));
  }
  // Only a stream of owners that come and go leads here; a caller that is told so asks again later.
  return { kind: "fenced", generation };
}

function claimOf(outcome: Claim["kind"], row: OwnedTable): Claim {
  switch (outcome) {
    case "claimed":
      return { kind: "claimed", row };
    case "fenced":
      return { kind: "fenced", generation: row.owner.generation };
    case "ownedByOther":
      return { kind: "ownedByOther", owner: row.owner, row };
  }
}

// $1 oid, $2 cluster, $3 uid, $4 spec hash, $5 members, $6 expressions.
const RECORD =
  `UPDATE tablewright.owned_table o SET oid = c.oid, schema_name = n.nspname, table_name = c.relname, spec_hash = $4,
  applied_at = clock_timestamp(), members = $5::text::jsonb, expressions = $6::text::jsonb, fingerprint = ${FINGERPRINT_OF_ONE}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::oid AND c.relkind = 'r' AND o.cluster_id = $2::uuid AND o.uid = $3::uuid
RETURNING o.id, o.schema_name, o.table_name, o.oid, o.cluster_id, o.namespace, o.name, o.uid, o.generation, o.spec_hash,
  o.origin, o.members, o.expressions, o.fingerprint, ${SAME_EPOCH} AS same_epoch`;

/**
 * Writes down what the table is now: the last statement of a transaction that changed it.
 *
 * @returns `undefined` if the owner has no row or there is no such table.
 */
export async function record(transaction: Transaction, request: RecordRequest): Promise<OwnedTable | undefined> {
  const { owner, specHash, relation, members, expressions } = request;
  const [row] = await transaction.query<Row>(RECORD, [
    relation.oid,
    owner.clusterId,
    owner.uid,
    specHash,
    JSON.stringify(members),
    JSON.stringify(expressions),
  ], FIXED);
  return row === undefined ? undefined : ownedTable(row);
}

/**
 * Makes a name ours before it is made, in a transaction of its own: CREATE INDEX CONCURRENTLY is in none, and what it
 * leaves behind when we die must not look like somebody else's. May be called again.
 *
 * @param id {@linkcode OwnedTable.id}.
 * @returns `false` if there is no such row any more.
 */
export async function addMember(transaction: Transaction, id: string, member: NewMember): Promise<boolean> {
  const expressions = Object.fromEntries(Object.entries(member.declared).map(([key, text]) => [key, [text, null]]));
  const rows = await transaction.query(
    `UPDATE tablewright.owned_table SET expressions = expressions || $4::text::jsonb,
       members = jsonb_set(members, ARRAY[$2], (coalesce(members -> $2, '[]') - $3::text) || to_jsonb($3::text))
     WHERE id = $1::bigint RETURNING id`,
    [id, member.kind, member.name, JSON.stringify(expressions)],
  );
  return rows.length === 1;
}

/** The rows of an owner (an empty `uid` has none), of a table's name, or both. */
export async function findOwned(transaction: Transaction, query: OwnedQuery): Promise<readonly OwnedTable[]> {
  const rows = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM tablewright.owned_table
     WHERE cluster_id = nullif($1, '')::uuid AND uid = nullif($2, '')::uuid OR schema_name = $3 AND table_name = $4
     ORDER BY id`,
    [query.owner?.clusterId, query.owner?.uid, query.schema, query.table],
    FIXED,
  );
  return rows.map(ownedTable);
}

/** The rows of those ids ({@linkcode OwnedTable.id}). */
export async function findOwnedById(transaction: Transaction, ids: readonly string[]): Promise<readonly OwnedTable[]> {
  const rows = await transaction.query<Row>(
    `SELECT ${COLUMNS} FROM tablewright.owned_table WHERE id = ANY ($1::bigint[])`,
    [arrayLiteral(ids)],
  );
  return rows.map(ownedTable);
}

/**
 * Gives a row to another owner: to a new object of the same name, whose predecessor is gone, or to another cluster's.
 * What the row says of the table stays.
 *
 * @param from As it was read: if it changed since, nothing happens.
 * @returns Whether it was given; `false` also if the new owner has a row already.
 */
export async function takeOver(transaction: Transaction, from: OwnedTable, owner: Owner): Promise<boolean> {
  const rows = await transaction.query(
    `UPDATE tablewright.owned_table o SET cluster_id = $1::uuid, uid = $2::uuid, namespace = $3, name = $4, generation = $5::bigint
     WHERE o.id = $6::bigint AND o.cluster_id = $7::uuid AND o.uid = $8::uuid AND NOT EXISTS (
       SELECT FROM tablewright.owned_table other WHERE other.cluster_id = $1::uuid AND other.uid = $2::uuid)
     RETURNING o.id`,
    [
      owner.clusterId,
      owner.uid,
      owner.namespace,
      owner.name,
      owner.generation,
      from.id,
      from.owner.clusterId,
      from.owner.uid,
    ],
  );
  return rows.length === 1;
}

/** Deletes a row and its history: the table is no longer ours, or no longer there. */
export async function forget(transaction: Transaction, id: string): Promise<void> {
  await transaction.query("DELETE FROM tablewright.owned_table WHERE id = $1::bigint", [id], FIXED);
}

/** So many entries are kept for each table; what was dropped with its object keeps none. */
export const MAX_HISTORY = 100;

/** Keeps what a plan ran, and forgets what is older than the last {@linkcode MAX_HISTORY}. */
export async function appendHistory(transaction: Transaction, entry: HistoryEntry): Promise<void> {
  await transaction.query(
    `WITH forgotten AS (
       DELETE FROM tablewright.history WHERE table_id = $1::bigint AND n <= (SELECT h.n FROM tablewright.history h
         WHERE h.table_id = $1::bigint ORDER BY h.n DESC OFFSET ${MAX_HISTORY - 1} LIMIT 1)
     )
     INSERT INTO tablewright.history (table_id, generation, plan_hash, statements)
     VALUES ($1::bigint, $2::bigint, $3, $4::text[])`,
    [entry.id, entry.generation, entry.planHash, arrayLiteral(entry.statements)],
    FIXED,
  );
}

function ownedTable(row: Row): OwnedTable {
  return {
    id: row.id,
    schema: row.schema_name,
    table: row.table_name,
    oid: row.same_epoch ? row.oid ?? undefined : undefined,
    owner: {
      clusterId: row.cluster_id,
      namespace: row.namespace,
      name: row.name,
      uid: row.uid,
      generation: Number(row.generation),
    },
    specHash: row.spec_hash,
    origin: row.origin,
    members: {
      column: row.members.column ?? [],
      constraint: row.members.constraint ?? [],
      index: row.members.index ?? [],
    },
    expressions: row.expressions,
    fingerprint: row.fingerprint,
    epochChanged: !row.same_epoch,
  };
}
