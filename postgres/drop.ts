import { observeRelations } from "./catalog.ts";
import type { Database, Transaction, TransactionOptions } from "./session/client.ts";
import { findOwned, forget, type OwnedTable, type Owner } from "./registry/registry.ts";
import { dropTableStatement, type Statement } from "./statement.ts";
import { lockNames, lockTable } from "./table_lock.ts";

export type DropOutcome =
  | { readonly kind: "dropped"; readonly statement: Statement }
  /** There is nothing that we made and that is still there; the object may go. */
  | { readonly kind: "nothingOwned"; readonly why: string }
  /** A newer generation of the same object has been here. */
  | { readonly kind: "fenced" }
  /** Somebody else works on this table. */
  | { readonly kind: "busy" };

/**
 * Drops the table that the registry says this object made, and its row: only if oid, name, kind, uid and generation all
 * match, and never CASCADE. No row means that nothing is dropped, whatever stands under that name.
 *
 * @throws {PostgresError} 2BP01 while something else needs the table.
 */
export async function dropOwnedTable(
  database: Database,
  owner: Owner,
  limits: Omit<TransactionOptions, "readOnly">,
): Promise<DropOutcome> {
  return await database.transaction({ ...limits, readOnly: false }, (transaction) => drop(transaction, owner));
}

async function drop(transaction: Transaction, owner: Owner): Promise<DropOutcome> {
  const row = await findRow(transaction, owner);
  if (row === undefined) return nothing("the registry knows no table of this object");
  if (row.owner.generation > owner.generation) return { kind: "fenced" };
  if (!await lockNames(transaction, row.schema, [row.table])) return { kind: "busy" };
  const current = await findRow(transaction, owner);
  if (current === undefined || current.table !== row.table) return { kind: "busy" };
  const fault = await mismatch(transaction, current);
  if (fault !== undefined) {
    await forget(transaction, current.id);
    return nothing(fault);
  }
  const table = { schema: current.schema, name: current.table };
  await lockTable(transaction, table);
  const changed = await mismatch(transaction, current);
  if (changed !== undefined) return { kind: "busy" };
  const statement = dropTableStatement(table);
  await transaction.query(statement.sql);
  await forget(transaction, current.id);
  return { kind: "dropped", statement };
}

async function findRow(transaction: Transaction, owner: Owner): Promise<OwnedTable | undefined> {
  return (await findOwned(transaction, { owner })).find((row) => row.owner.uid === owner.uid);
}

/** Why what stands under the registered name is not what we made; `undefined` if it is. */
async function mismatch(transaction: Transaction, row: OwnedTable): Promise<string | undefined> {
  const name = `${row.schema}.${row.table}`;
  if (row.oid === undefined) return `table ${name} came with a restored database and was not seen since`;
  const [relation] = await observeRelations(transaction, { schema: row.schema, names: [], oids: [row.oid] });
  if (relation === undefined) return `table ${name} is not there any more`;
  if (relation.schema !== row.schema || relation.name !== row.table) {
    return `table ${name} was renamed by hand to ${relation.schema}.${relation.name}`;
  }
  return relation.kind === "table" && relation.ownedByRole
    ? undefined
    : `${name} is not a table of this operator any more`;
}

function nothing(why: string): DropOutcome {
  return { kind: "nothingOwned", why };
}
