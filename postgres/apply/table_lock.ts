import { FIXED, type Transaction } from "../session/client.ts";
import type { LockMode } from "../statement/statement.ts";
import { qualifiedName } from "../text/identifier.ts";

/** A table by name. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/**
 * Takes the advisory locks of some table names for the rest of the transaction, in sorted order, without waiting:
 * two operators that plan the same table must not observe it at the same time.
 *
 * @returns `false` if somebody holds one of them.
 */
export async function lockNames(transaction: Transaction, tables: readonly TableName[]): Promise<boolean> {
  const keys = [...new Set(tables.map(({ schema, name }) => `tablewright/${schema}.${name}`))].sort();
  const rows = await transaction.query<{ readonly locked: boolean }>(
    `SELECT bool_and(pg_try_advisory_xact_lock(hashtextextended(k.name, 0))) AS locked
     FROM (SELECT name FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS n(name, i) ORDER BY i) AS k`,
    [JSON.stringify(keys)],
    FIXED,
  );
  return rows[0]?.locked ?? false;
}

/** Locks a table of ours, so that the statements behind it wait for nobody. */
export async function lockTable(transaction: Transaction, table: TableName, mode: LockMode): Promise<void> {
  await transaction.query(`LOCK TABLE ${qualifiedName(table.schema, table.name)} IN ${mode} MODE`);
}
