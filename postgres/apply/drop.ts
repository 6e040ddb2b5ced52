import { observeRelations } from "../catalog/catalog.ts";
import { findOwned, forget, type OwnedTable, type Owner } from "../registry/registry.ts";
import { type InboundKey, printedName, type Relation } from "../catalog/relation.ts";
import type { Database, Transaction, TransactionOptions } from "../session/client.ts";
import { dropTableStatement, type Statement } from "../statement/statement.ts";
import { lockNames, lockTable, type TableName } from "./table_lock.ts";
import { qualifiedName, quoteIdentifier } from "../text/identifier.ts";

export type DropOutcome =
  | { readonly kind: "dropped"; readonly statement: Statement }
  /** There is nothing that we made and that is still there; the object may go. */
  | { readonly kind: "nothingOwned"; readonly why: string }
  /** Others need the table: it stays until they are gone. */
  | {
    readonly kind: "needed";
    /** In words. */
    readonly by: readonly string[];
    /** Of those that are tables of ours. */
    readonly owners: readonly Owner[];
  }
  /** Somebody else works on this table. */
  | { readonly kind: "busy" };

export interface DropRequest {
  /** Of an object that was read past every cache: a restored cluster may have a lower generation than the registry. */
  readonly owner: Owner;
  /** Whether the object that owns another table is being deleted too: then its foreign keys do not hold ours back. */
  readonly isGoing: (owner: Owner) => Promise<boolean>;
}

type Limits = Omit<TransactionOptions, "readOnly">;

/**
 * Drops the table that the registry says this object made, and its row: only if oid, name, kind and uid all match, and never CASCADE. No row means that nothing is dropped, whatever stands under that name. Foreign keys of tables
 * that go too are dropped first: two tables that refer to each other could never be dropped singly.
 *
 * @throws {PostgresError} 2BP01 while something else needs the table.
 */
export async function dropOwnedTable(database: Database, request: DropRequest, limits: Limits): Promise<DropOutcome> {
  const seen = await database.transaction(
    { ...limits, readOnly: true },
    (transaction) => lookAtDependents(transaction, request.owner),
  );
  const detachable: InboundKey[] = [];
  const holding: string[] = [...seen.readers];
  const owners: Owner[] = [];
  for (const { key, owner } of seen.inbound) {
    if (owner !== undefined && await request.isGoing(owner)) detachable.push(key);
    else holding.push(describeKey(key, owner));
    if (owner !== undefined) owners.push(owner);
  }
  if (holding.length > 0) return { kind: "needed", by: holding, owners };
  return await database.transaction(
    { ...limits, readOnly: false },
    (transaction) => drop(transaction, request.owner, detachable),
  );
}

interface Dependents {
  readonly inbound: readonly { readonly key: InboundKey; readonly owner: Owner | undefined }[];
  readonly readers: readonly string[];
}

async function lookAtDependents(transaction: Transaction, owner: Owner): Promise<Dependents> {
  const row = await findRow(transaction, owner);
  const relation = row === undefined ? undefined : await ownRelation(transaction, row);
  if (relation === undefined) return { inbound: [], readers: [] };
  const inbound = [];
  for (const key of relation.inbound) {
    const rows = await findOwned(transaction, { schema: key.schema, table: key.table });
    const own = rows.find((each) => each.owner.clusterId === owner.clusterId);
    inbound.push({ key, owner: own?.members.constraint.includes(key.name) ? own.owner : undefined });
  }
  return { inbound, readers: relation.readers.map(({ kind, name }) => `${kind} ${name}`) };
}

function describeKey(key: InboundKey, owner: Owner | undefined): string {
  const whose = owner === undefined ? "" : ` (DatabaseTable ${owner.namespace}/${owner.name})`;
  return `the foreign key "${key.name}" of ${printedName(key.schema, key.table)}${whose}`;
}

async function drop(
  transaction: Transaction,
  owner: Owner,
  detachable: readonly InboundKey[],
): Promise<DropOutcome> {
  const row = await findRow(transaction, owner);
  if (row === undefined) return nothing("the registry knows no table of this object");
  const touched = [...detachable.map(tableOfKey), ...targetsOf(await ownRelation(transaction, row))];
  if (!await lockNames(transaction, [{ schema: row.schema, name: row.table }, ...touched])) return { kind: "busy" };
  const current = await findRow(transaction, owner);
  if (current === undefined || current.table !== row.table) return { kind: "busy" };
  const relation = await ownRelation(transaction, current);
  const fault = mismatch(current, relation);
  if (fault !== undefined || relation === undefined) {
    await forget(transaction, current.id);
    return nothing(fault ?? "");
  }
  const known = new Set(detachable.map(identityOf));
  // One that came after we looked: whether it may go was not asked. Those that went in between need nothing.
  if (!relation.inbound.every((key) => known.has(identityOf(key)))) return { kind: "busy" };
  return await dropLocked(transaction, current, relation.inbound);
}

function tableOfKey({ schema, table }: InboundKey): TableName {
  return { schema, name: table };
}

/** DROP TABLE locks these too, since it takes the triggers of the foreign keys away. */
function targetsOf(relation: Relation | undefined): readonly TableName[] {
  return (relation?.constraints ?? []).flatMap(({ references }) =>
    references === undefined ? [] : [{ schema: references.schema, name: references.table }]
  );
}

function identityOf(key: InboundKey): string {
  return JSON.stringify([key.schema, key.table, key.name]);
}

async function dropLocked(
  transaction: Transaction,
  row: OwnedTable,
  detachable: readonly InboundKey[],
): Promise<DropOutcome> {
  const table = { schema: row.schema, name: row.table };
  for (const key of detachable) {
    const child = qualifiedName(key.schema, key.table);
    await transaction.query(`ALTER TABLE ${child} DROP CONSTRAINT ${quoteIdentifier(key.name)}`);
  }
  await lockTable(transaction, table, "ACCESS EXCLUSIVE");
  if (mismatch(row, await ownRelation(transaction, row)) !== undefined) {
    throw new Error(`table ${row.schema}.${row.table} changed under its lock`);
  }
  const statement = dropTableStatement(table);
  await transaction.query(statement.sql);
  await forget(transaction, row.id);
  return { kind: "dropped", statement };
}

async function findRow(transaction: Transaction, owner: Owner): Promise<OwnedTable | undefined> {
  return (await findOwned(transaction, { owner })).find((row) => row.owner.uid === owner.uid);
}

async function ownRelation(transaction: Transaction, row: OwnedTable): Promise<Relation | undefined> {
  if (row.oid === undefined) return undefined;
  const relations = await observeRelations(transaction, { schema: row.schema, names: [], oids: [row.oid] });
  return relations.find((relation) => relation.oid === row.oid);
}

/** Why what stands under the registered name is not what we made; `undefined` if it is. */
function mismatch(row: OwnedTable, relation: Relation | undefined): string | undefined {
  const name = `${row.schema}.${row.table}`;
  if (row.oid === undefined) return `table ${name} came with a restored database and was not seen since`;
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
