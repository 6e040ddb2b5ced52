import type { Transaction } from "../session/client.ts";
import { CHANGED_TABLES, WITHOUT_LOOPS } from "./fingerprint.ts";

/** A table of the registry whose catalog rows are not those that were recorded. */
export interface ChangedTable {
  /** Of the row. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As it is now; `undefined` if the table is gone, or the registry does not know its oid in this epoch. */
  readonly fingerprint: string | undefined;
}

/** What the registry says of a table, as far as a restart asks. */
export interface RecordedTable {
  readonly generation: number;
  readonly specHash: string;
  /** Whether its oid is known in this epoch. */
  readonly isBound: boolean;
}

interface ChangedRow {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly fingerprint: string | null;
  readonly same_epoch: boolean;
}

interface RecordedRow {
  readonly uid: string;
  readonly generation: string;
  readonly hash: string;
  readonly bound: boolean;
}

/** Compares all recorded tables of a cluster with the catalog; one round trip, whatever their number. */
export async function findChangedTables(
  transaction: Transaction,
  clusterId: string,
): Promise<readonly ChangedTable[]> {
  const [, rows] = await Promise.all([
    transaction.query(WITHOUT_LOOPS),
    transaction.query<ChangedRow>(CHANGED_TABLES, [clusterId]),
  ]);
  return rows.map(({ fingerprint, same_epoch: sameEpoch, id, namespace, name, uid }) => ({
    ...{ id, namespace, name, uid },
    fingerprint: sameEpoch ? fingerprint ?? undefined : undefined,
  }));
}

/** What the registry says of all recorded tables of a cluster, by the uid of their object; one round trip. */
export async function findRecordedTables(
  transaction: Transaction,
  clusterId: string,
): Promise<Map<string, RecordedTable>> {
  const rows = await transaction.query<RecordedRow>(
    `SELECT uid, generation, spec_hash AS hash, oid IS NOT NULL AS bound FROM tablewright.owned_table
     WHERE cluster_id = $1::uuid AND fingerprint <> 0`,
    [clusterId],
  );
  return new Map(rows.map(({ uid, generation, hash: specHash, bound: isBound }) => [
    uid,
    { generation: Number(generation), specHash, isBound },
  ]));
}

/** A row whose table was seen to be as it should be although its catalog rows are other ones. */
export interface Refresh {
  readonly id: string;
  /** As it was read: a row that somebody recorded since is left alone. */
  readonly before: string;
  /** Read before the table was looked at: what changed in between is then found again. */
  readonly now: string;
}

/** Makes the registry know tables by their new catalog rows; one round trip. */
export async function refreshFingerprints(transaction: Transaction, refreshes: readonly Refresh[]): Promise<void> {
  await transaction.query(
    `UPDATE tablewright.owned_table o SET fingerprint = r.now
     FROM jsonb_to_recordset($1::text::jsonb) AS r(id bigint, before bigint, now bigint)
     WHERE o.id = r.id AND o.fingerprint = r.before`,
    [JSON.stringify(refreshes)],
  );
}
