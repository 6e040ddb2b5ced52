import type { Transaction } from "../session/client.ts";

/**
 * Where `pg_control_system()` was taken from PUBLIC the identifier is 0: then only the database's oid and the version
 * tell a restored copy. The call is hidden in a text, since a plan that names it is refused even if it never runs.
 */
const SYSTEM_IDENTIFIER = `CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
  substring(query_to_xml('SELECT system_identifier FROM pg_catalog.pg_control_system()', false, true, '')::text
    from '[0-9]{6,}')::bigint ELSE 0 END`;

/**
 * Server, database and version as they are now, as one row to join. The registry's own oid is a part of it: a dump that is restored
 * over its own database leaves everything else as it was.
 */
export const LIVE_EPOCH = `(SELECT ${SYSTEM_IDENTIFIER} AS system_identifier, d.oid AS database_oid,
  'tablewright.owned_table'::regclass::oid AS registry_oid,
  current_setting('server_version_num')::int AS server_version_num
  FROM pg_database d WHERE d.datname = current_database()) AS live`;

/** Whether the registry's oids and stored texts are of this server: a dump carries them to another one. */
export const SAME_EPOCH = `EXISTS (SELECT FROM tablewright.epoch e, ${LIVE_EPOCH}
  WHERE e.system_identifier = live.system_identifier AND e.database_oid = live.database_oid
    AND e.registry_oid = live.registry_oid
    AND e.server_version_num / 10000 = live.server_version_num / 10000)`;

/**
 * Makes this server's epoch the registry's, and forgets all oids: they point to nothing here, or to some other table.
 *
 * @returns Whether the epoch was another one.
 */
export async function adoptEpoch(transaction: Transaction): Promise<boolean> {
  const rows = await transaction.query(
    `UPDATE tablewright.epoch e SET system_identifier = live.system_identifier, database_oid = live.database_oid,
       registry_oid = live.registry_oid, server_version_num = live.server_version_num FROM ${LIVE_EPOCH} WHERE NOT ${SAME_EPOCH} RETURNING e.one`,
  );
  if (rows.length > 0) await transaction.query("UPDATE tablewright.owned_table SET oid = NULL WHERE oid IS NOT NULL");
  return rows.length > 0;
}

/**
 * Which database this is, for as long as it lives: a failover and a restored base backup keep it, another server and a dump that is
 * restored into a new database do not. Needs the registry.
 *
 * @returns `undefined` where the role may not know.
 */
export async function readDatabaseId(transaction: Transaction): Promise<string | undefined> {
  const [row] = await transaction.query<{ readonly id: string }>(
    `SELECT concat(live.system_identifier, '/', live.database_oid) AS id FROM ${LIVE_EPOCH} WHERE live.system_identifier <> 0`,
  );
  return row?.id;
}
