import type { Transaction } from "../session/client.ts";

// $1 schema. What an extension made belongs to the extension.
const TABLE_NAMES = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"`;

/** The names of all tables of a schema, partitioned and foreign ones among them, in the order of their bytes. */
export async function listTableNames(transaction: Transaction, schema: string): Promise<readonly string[]> {
  const rows = await transaction.query<{ readonly name: string }>(TABLE_NAMES, [schema]);
  return rows.map(({ name }) => name);
}
