import { isObject } from "../../crds/decode_fields.ts";
import type { DatabaseTable, DeletionPolicy } from "../../crds/database_table/types.ts";
import { type DropOutcome, dropOwnedTable } from "../../postgres/drop.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";

const LOCK_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/** What became of an object that is being deleted. */
export type Finalized =
  /** The object may go, or is gone. */
  | { readonly kind: "released" }
  /** Others need the table. */
  | { readonly kind: "needed"; readonly by: readonly string[] }
  | { readonly kind: "busy" };

/**
 * Does what the deletion policy says, then lets the object go. What is dropped follows from the registry (oid, name, uid,
 * generation), never from `spec.tableName`, since nobody validates the spec of a terminating object.
 *
 * The object and its kind are read again first: a deleted CRD marks every object deleted without asking admission, and a
 * namespace takes `Forbid` objects along. In both cases nobody meant the data: it is kept, and an event says so.
 */
export async function finalizeTable(
  object: DatabaseTable,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<Finalized> {
  const current = await context.objects.read(object, signal);
  if (current === undefined || current.metadata.uid !== object.metadata.uid) return { kind: "released" };
  const kept = await reasonToKeep(current, context, signal);
  if (kept !== undefined) {
    context.recordEvent(current, { type: "Normal", reason: "TableKept", note: `the table is kept: ${kept}` });
    await context.objects.removeFinalizer(current, signal);
    return { kind: "released" };
  }
  await context.gate.check(signal);
  const outcome = await dropOwnedTable(context.database, {
    owner: ownerOf(current, context.clusterId),
    isGoing: (owner) => context.objects.isGoing(owner, signal),
  }, {
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    signal,
  });
  return await conclude({ object: current, outcome }, context, signal);
}

async function reasonToKeep(
  object: DatabaseTable,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const policy = deletionPolicyOf(object.spec);
  if (policy !== "Delete") return `deletionPolicy is ${policy}`;
  return await context.objects.isKindTerminating(signal) ? "the CustomResourceDefinition is being deleted" : undefined;
}

/** The policy of a spec that nobody validated: absent means Delete, and what is unknown keeps the data. */
function deletionPolicyOf(spec: unknown): DeletionPolicy {
  const policy = isObject(spec) ? spec["deletionPolicy"] ?? "Delete" : "Delete";
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
