import type { KubeObject } from "../../../kube/object.ts";
import type { AsSuperuser } from "../ddl_journal.ts";

const LEFTOVERS = `
SELECT format('connection in state %s', state) AS line FROM pg_stat_activity WHERE datname = current_database() AND usename = $role
UNION ALL SELECT format('lock %s %s', locktype, mode) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE d.datname = current_database() AND l.pid <> pg_backend_pid() AND l.locktype IN ('relation', 'advisory')
UNION ALL SELECT format('temporary relation %s', relname) FROM pg_class WHERE relpersistence = 't'
  AND pg_get_userbyid(relowner) = $role
UNION ALL SELECT format('helper %s', relname) FROM pg_class WHERE relname LIKE '%tablewright%' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT format('helper constraint %s', conname) FROM pg_constraint WHERE conname LIKE '%tablewright%'
  AND connamespace = 'public'::regnamespace
UNION ALL SELECT format('unfinished constraint %s', conname) FROM pg_constraint WHERE NOT convalidated
  AND connamespace = 'public'::regnamespace
UNION ALL SELECT format('invalid index %s', c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid`;

/** What an operator that has ended left in its database and must not have. @param living uids of objects that are still there. */
export async function readLeftovers(
  sql: AsSuperuser,
  { role, living }: { readonly role: string; readonly living: readonly string[] },
): Promise<readonly string[]> {
  const rows = await sql(LEFTOVERS.replaceAll("$role", `'${role}'`));
  const [registry] = await sql("SELECT to_regclass('tablewright.owned_table') IS NOT NULL AS there");
  const owned = registry?.["there"] === true
    ? await sql("SELECT uid::text AS uid, table_name FROM tablewright.owned_table")
    : [];
  const orphans = owned.filter((row) => !living.includes(String(row["uid"])));
  return [
    ...rows.map((row) => String(row["line"])),
    ...orphans.map((row) => `a row of the registry for ${row["table_name"]}, whose object is gone`),
  ];
}

/** Objects of ours that users have given up and that are still there: nobody removed the finalizers. */
export function stuckObjects(objects: readonly KubeObject[]): readonly string[] {
  return objects.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ kind, metadata: { name, finalizers } }) => `${kind} ${name} is deleted and waits for ${finalizers}`);
}
