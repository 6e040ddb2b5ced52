import type { Transaction } from "../session/client.ts";
import { findOwned, type OwnedQuery, type OwnedTable, type Owner } from "./registry.ts";

/** Whether the registry is there, and whether our role may read it. */
export type RegistryState = "readable" | "absent" | "unreadable";

/** Looks for the registry without making it. */
export async function observeRegistry(transaction: Transaction): Promise<RegistryState> {
  const [row] = await transaction.query<{ readonly readable: boolean }>(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'tablewright' AND c.relname = 'owned_table' AND c.relkind = 'r'`,
  );
  if (row === undefined) return "absent";
  return row.readable ? "readable" : "unreadable";
}

/** As `findOwned()`, for a database that perhaps no operator has seen yet. */
export function registryReader(state: RegistryState): typeof findOwned {
  return async (transaction: Transaction, query: OwnedQuery): Promise<readonly OwnedTable[]> =>
    state === "absent" ? [] : await findOwned(transaction, query);
}

/** The owners of that namespace and name, of whatever cluster, and the ids of all clusters that the registry knows. */
export async function findOwners(
  transaction: Transaction,
  { namespace, name }: Pick<Owner, "namespace" | "name">,
): Promise<{ readonly owners: readonly Owner[]; readonly clusterIds: readonly string[] }> {
  const rows = await transaction.query<{ readonly owner: Owner | null; readonly cluster_id: string }>(
    `SELECT DISTINCT ON (o.cluster_id, o.uid) o.cluster_id, CASE WHEN o.namespace = $1 AND o.name = $2
       THEN json_build_object('clusterId', o.cluster_id, 'namespace', o.namespace, 'name', o.name, 'uid', o.uid,
         'generation', o.generation) END AS owner
     FROM tablewright.owned_table o ORDER BY o.cluster_id, o.uid`,
    [namespace, name],
  );
  return {
    owners: rows.flatMap(({ owner }) => owner ?? []),
    clusterIds: [...new Set(rows.map((row) => row.cluster_id))],
  };
}
