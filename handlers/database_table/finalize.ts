import { isObject } from "../../crds/decode_fields.ts";
import { policiesToWrite } from "../../crds/database_table/default.ts";
import type { DatabaseTable, DeletionPolicy } from "../../crds/database_table/types.ts";
import { type DropOutcome, dropOwnedTable } from "../../postgres/apply/drop.ts";
import { findOwned } from "../../postgres/registry/registry.ts";
import { observeRegistry } from "../../postgres/registry/registry_reader.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import { handsOffReason } from "./hands_off.ts";
import { originOf } from "./spec/origin.ts";

const LIMITS = { lockTimeoutMs: 3_000, statementTimeoutMs: 60_000 };

/** What became of an object that is being deleted. */
export type Finalized =
  /** The object may go, or is gone. */
  | { readonly kind: "released" }
  /** Others need the table. */
  | Extract<DropOutcome, { readonly kind: "needed" }>
  | { readonly kind: "busy" };

/**
 * Does what the deletion policy says, then lets the object go. What is dropped follows from the registry (oid, name, uid,
 * generation), never from `spec.tableName`, since nobody validates the spec of a terminating object.
 *
 * The object and its kind are read again first: a deleted CRD marks every object deleted without asking admission, and a
 * namespace takes `Forbid` objects along. In both cases nobody meant the data: it is kept, and an event says so. So is the
 * table of an object that says "hands off" (`suspend`, `mode: Observe`).
 */
export async function finalizeTable(
  object: DatabaseTable,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<Finalized> {
  const current = await context.objects.read(object, signal);
  if (current === undefined || current.metadata.uid !== object.metadata.uid) return { kind: "released" };
  const kept = await reasonToKeep(current, context, signal);
  if (kept !== undefined) return await release(current, kept, { context, signal });
  if (!await isRegistryThere(context, signal)) {
    const outcome: DropOutcome = { kind: "nothingOwned", why: "no table was ever made in this database" };
    return await conclude({ object: current, outcome }, context, signal);
  }
  if (!saysDelete(current) && await isAdopted(current, context, signal)) {
    return await release(current, "it was there before the object, which has no deletionPolicy", { context, signal });
  }
  const outcome = await dropOwnedTable(context.database, {
    owner: ownerOf(current, context.clusterId),
    isGoing: (owner) => context.objects.isGoing(owner, signal),
  }, { ...LIMITS, signal });
  return await conclude({ object: current, outcome }, context, signal);
}

/**
 * Whether there is a registry that may be believed. Whatever keeps us from making one, such as a server that is too old or a role with
 * too few or too many rights, kept us from making tables, and must not hold the object.
 *
 * @throws what the gate throws, if there is a registry all the same.
 */
async function isRegistryThere({ gate, database }: ReconcileContext, signal: AbortSignal): Promise<boolean> {
  try {
    await gate.check(signal);
    return true;
  } catch (error) {
    if (await database.transaction({ ...LIMITS, signal, readOnly: true }, observeRegistry) !== "absent") throw error;
    return false;
  }
}

async function release(
  object: DatabaseTable,
  why: string,
  { context, signal }: { readonly context: ReconcileContext; readonly signal: AbortSignal },
): Promise<Finalized> {
  context.recordEvent(object, { type: "Normal", reason: "TableKept", note: `the table is kept: ${why}` });
  await context.objects.removeFinalizer(object, signal);
  return { kind: "released" };
}

function saysDelete({ spec }: DatabaseTable): boolean {
  return isObject(spec) && spec["deletionPolicy"] === "Delete";
}

/** Whether the registry says that the object's table was there before it. */
async function isAdopted(object: DatabaseTable, context: ReconcileContext, signal: AbortSignal): Promise<boolean> {
  const owner = ownerOf(object, context.clusterId);
  const rows = await context.database.transaction(
    { ...LIMITS, signal, readOnly: true },
    (transaction) => findOwned(transaction, { owner }),
  );
  return rows.some((row) => row.origin === "adopted");
}

async function reasonToKeep(
  object: DatabaseTable,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kept = keepsTable(object);
  if (kept !== undefined) return kept;
  return await context.objects.kindEnd.isBehind(object, signal)
    ? "the CustomResourceDefinition is being deleted"
    : undefined;
}

/** Why the object's own words keep its table; `undefined` if it is to be dropped. */
export function keepsTable(object: DatabaseTable): string | undefined {
  const handsOff = handsOffReason(object);
  if (handsOff !== undefined) return handsOff;
  const policy = deletionPolicyOf(object);
  return policy === "Delete" ? undefined : `deletionPolicy is ${policy}`;
}

/** The policy of a spec that nobody validated: absent means Delete without an adoption, and what is unknown keeps the data. */
function deletionPolicyOf(object: DatabaseTable): DeletionPolicy {
  const { deletionPolicy: given, ...rest } = isObject(object.spec) ? object.spec : {};
  const policy = given ?? policiesToWrite(rest, undefined, originOf(object)).deletionPolicy;
  return policy === "Delete" || policy === "Forbid" ? policy : "Retain";
}

async function conclude(
  { object, outcome }: { readonly object: DatabaseTable; readonly outcome: DropOutcome },
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<Finalized> {
  switch (outcome.kind) {
    case "dropped":
      context.recordEvent(object, { type: "Normal", reason: "Dropped", note: outcome.statement.sql });
      break;
    case "nothingOwned":
      context.recordEvent(object, {
        type: "Normal",
        reason: "NothingDropped",
        note: `nothing is dropped: ${outcome.why}`,
      });
      break;
    case "needed":
    case "busy":
      return outcome;
  }
  await context.objects.removeFinalizer(object, signal);
  return { kind: "released" };
}
