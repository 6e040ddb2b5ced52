import type { AsSuperuser } from "../ddl_journal.ts";

/** Process numbers of the sessions of this database that wait for the lock of a relation: other plans use the same server. */
export async function lockWaiters(sql: AsSuperuser): Promise<readonly number[]> {
  const rows = await sql(`SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  return rows.map(({ pid }) => Number(pid));
}
