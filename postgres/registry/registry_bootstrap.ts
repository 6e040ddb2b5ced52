import type { Database, Transaction } from "../session/client.ts";
import { adoptEpoch, SAME_EPOCH } from "./epoch.ts";
import {
  ADDITIONS,
  BOOTSTRAP_LOCK,
  CREATE_SCHEMA,
  CREATE_TABLES,
  PRESENCE,
  REGISTRY_FAULTS,
  SCHEMA_FAULTS,
} from "./registry_schema.ts";

const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;

interface Presence {
  readonly has_schema: boolean;
  readonly has_relations: boolean;
}

/**
 * Makes the registry if there is none; any number of operators may start at once. One that somebody else made, or
 * changed, is never repaired.
 *
 * @returns Why the registry must not be trusted, one sentence each; with none it is there and ours.
 * @throws {PostgresError} for instance 42501 if the role may create no schema.
 */
export async function ensureRegistry(database: Database, signal: AbortSignal): Promise<readonly string[]> {
  const limits = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal };
  const found = await database.transaction({ ...limits, readOnly: true }, look);
  const isKnown = found.presence.has_relations && (found.faults.length > 0 || found.isCurrent);
  if (isKnown && !isOfEarlierVersion(found.faults)) return found.faults;
  return await database.transaction({ ...limits, readOnly: false }, create);
}

/**
 * Why the registry must not be trusted: to be asked whenever a connection is new, before anything is written.
 * One round trip.
 */
export async function registryFaults(transaction: Transaction): Promise<readonly string[]> {
  return await faultsOf(transaction, REGISTRY_FAULTS);
}

interface Found {
  readonly presence: Presence;
  readonly faults: readonly string[];
  /** Whether it is of this server; always so while its tables are not known to be ours. */
  readonly isCurrent: boolean;
}

async function look(transaction: Transaction): Promise<Found> {
  const [presence, faults] = await Promise.all([presenceOf(transaction), registryFaults(transaction)]);
  if (!presence.has_relations || faults.length > 0) return { presence, faults, isCurrent: true };
  const [epoch] = await transaction.query<{ readonly current: boolean }>(`SELECT ${SAME_EPOCH} AS current`);
  return { presence, faults, isCurrent: epoch?.current ?? false };
}

async function create(transaction: Transaction): Promise<readonly string[]> {
  await transaction.query(BOOTSTRAP_LOCK);
  // In a statement of its own: what the one before us committed is seen only now.
  const presence = await presenceOf(transaction);
  if (!presence.has_schema) await transaction.query(CREATE_SCHEMA);
  if (!presence.has_relations) {
    const faults = presence.has_schema ? await faultsOf(transaction, SCHEMA_FAULTS) : [];
    if (faults.length > 0) return faults;
    for (const statement of CREATE_TABLES) await transaction.query(statement);
  }
  const found = await registryFaults(transaction);
  if (!isOfEarlierVersion(found)) return await settle(transaction, found);
  for (const statement of found.flatMap((fault) => ADDITIONS.get(fault) ?? [])) await transaction.query(statement);
  return await settle(transaction, await registryFaults(transaction));
}

async function settle(transaction: Transaction, faults: readonly string[]): Promise<readonly string[]> {
  if (faults.length === 0) await adoptEpoch(transaction);
  return faults;
}

/** Whether nothing is wrong but that tables are missing which this version has added. */
function isOfEarlierVersion(faults: readonly string[]): boolean {
  return faults.length > 0 && faults.every((fault) => ADDITIONS.has(fault));
}

async function presenceOf(transaction: Transaction): Promise<Presence> {
  const [presence] = await transaction.query<Presence>(PRESENCE);
  return presence ?? { has_schema: false, has_relations: false };
}

async function faultsOf(transaction: Transaction, sql: string): Promise<readonly string[]> {
  const rows = await transaction.query<{ readonly fault: string }>(sql);
  return rows.map((row) => row.fault);
}
