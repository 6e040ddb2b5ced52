import type { Transaction } from "../session/client.ts";
import { arrayLiteral } from "../session/parameter.ts";
import type { Owner } from "./registry.ts";

type Holder = Pick<Owner, "clusterId" | "uid">;

/** The statements of the plan that was approved for an owner's table and is not known to be done; empty if none. */
export async function approvedStatements(transaction: Transaction, owner: Holder): Promise<readonly string[]> {
  const [row] = await transaction.query<{ readonly statements: string }>(
    `SELECT to_jsonb(a.statements)::text AS statements FROM tablewright.approval AS a
     JOIN tablewright.owned_table AS o ON o.id = a.table_id WHERE o.cluster_id = $1::uuid AND o.uid = $2::uuid`,
    [owner.clusterId, owner.uid],
  );
  return row === undefined ? [] : JSON.parse(row.statements) as string[];
}

/**
 * Keeps what was approved, in the transaction of its first step: whoever crashes behind it goes on without asking again.
 * Nothing happens without the owner's row, which a claim has made before.
 */
export async function rememberApproval(
  transaction: Transaction,
  owner: Holder,
  approved: { readonly planHash: string; readonly statements: readonly string[] },
): Promise<void> {
  await transaction.query(
    `INSERT INTO tablewright.approval AS a (table_id, plan_hash, statements)
     SELECT o.id, $3, $4::text[] FROM tablewright.owned_table AS o WHERE o.cluster_id = $1::uuid AND o.uid = $2::uuid
     ON CONFLICT (table_id) DO UPDATE SET plan_hash = excluded.plan_hash, statements = excluded.statements`,
    [owner.clusterId, owner.uid, approved.planHash, arrayLiteral(approved.statements)],
  );
}

/** The plan is done, or given up: the same statements need a new approval. */
export async function forgetApproval(transaction: Transaction, owner: Holder): Promise<void> {
  await transaction.query(
    `DELETE FROM tablewright.approval AS a USING tablewright.owned_table AS o
     WHERE o.id = a.table_id AND o.cluster_id = $1::uuid AND o.uid = $2::uuid`,
    [owner.clusterId, owner.uid],
  );
}
