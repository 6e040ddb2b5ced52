import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import { isSameJson } from "../../../crds/same_json.ts";
import { observeRelations, type Relation } from "../../../postgres/catalog/catalog.ts";
import { planSituation, type WantedTable } from "../../../postgres/plan/planning.ts";
import { findOwnedById, type OwnedTable } from "../../../postgres/registry/registry.ts";
import type { Refresh } from "../../../postgres/registry/sweep.ts";
import type { Transaction } from "../../../postgres/session/client.ts";
import { judgeSituation, type Situation } from "../../../postgres/situation/situation.ts";
import { ownerOf } from "../context.ts";
import { driftEntries, driftOf } from "./drift.ts";
import { wantedTable } from "../verdict/judge.ts";
import { originOf } from "../spec/origin.ts";
import { resolveTable } from "../verdict/resolve.ts";
import { specHashOf } from "../spec/spec_hash.ts";
import { understandSpec } from "../spec/understand.ts";

/** An object whose table has other catalog rows than the registry recorded. */
export interface Doubt {
  readonly object: DatabaseTable;
  /** Of the registry's row. */
  readonly id: string;
  /** As it is now. */
  readonly fingerprint: string;
}

/** What became of some doubts; those of objects that look again by themselves are in neither list. */
export interface Compared {
  /** Tables that differ from what their objects' status says. */
  readonly suspects: readonly DatabaseTable[];
  readonly refreshes: readonly Refresh[];
}

/** Plans differ between versions in their SQL only, which nobody reads here. */
const ASSUMED_VERSION = 18;

/**
 * Observes the tables of some doubts, in two queries for all of them, and plans their specs against what is there. Where
 * that finds nothing that the status does not say, only the row versions changed.
 */
export async function compareTables(
  transaction: Transaction,
  doubts: readonly Doubt[],
  allowedFunctions: ReadonlySet<string>,
): Promise<Compared> {
  const rows = await findOwnedById(transaction, doubts.map(({ id }) => id));
  const oids = rows.flatMap(({ oid }) => oid ?? []);
  const relations = await observeRelations(transaction, { schema: "public", names: [], oids });
  const relationByOid = new Map(relations.map((relation) => [relation.oid, relation]));
  const rowById = new Map(rows.map((row) => [row.id, row]));
  const suspects: DatabaseTable[] = [];
  const refreshes: Refresh[] = [];
  for (const { object, id, fingerprint } of doubts) {
    const row = rowById.get(id);
    // Somebody works on it right now.
    if (row === undefined) continue;
    const relation = row.oid === undefined ? undefined : relationByOid.get(row.oid);
    const isTold = await compare(transaction, { object, row, relation, allowedFunctions });
    if (isTold) refreshes.push({ id, before: row.fingerprint, now: fingerprint });
    else if (relies(object)) suspects.push(object);
  }
  return { suspects, refreshes };
}

interface Seen {
  readonly object: DatabaseTable;
  readonly row: OwnedTable;
  readonly relation: Relation | undefined;
  readonly allowedFunctions: ReadonlySet<string>;
}

/**
 * Whether only a sweep finds what happens to the object's table: it is Ready, or its drift was told and is left. Every other
 * object waits for something, is retried, or looks again by itself.
 */
export function relies({ status }: DatabaseTable): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" || (status?.drift ?? []).length > 0;
}

/** Whether a reconcile would find nothing to do, and nothing to say that is not said. */
async function compare(transaction: Transaction, { object, row, relation, allowedFunctions }: Seen): Promise<boolean> {
  const { spec, desired: understood, errors } = await understandSpec(object.spec, originOf(object));
  if (errors.length > 0 || spec === undefined || understood?.table === undefined || relation === undefined) {
    return false;
  }
  const specHash = specHashOf(understood.table);
  if (row.specHash !== specHash || object.status?.applied?.hash !== specHash) return false;
  const { desired, faults } = await resolveTable(transaction, understood, allowedFunctions);
  const wanted = wantedTable(desired);
  if (wanted === undefined || faults.length > 0) return false;
  const situation = situationOf(wanted, { object, row, relation });
  if (situation.kind !== "owned") return false;
  if (spec.drift.action === "Ignore") return true;
  const plan = await planSituation(wanted, situation);
  const drift = driftOf(wanted, plan, situation);
  // With an empty drift there may be steps left that clean up behind a plan.
  if (drift.named.length === 0 && plan.steps.length > 0) return false;
  return isSameJson(driftEntries(drift), object.status?.drift ?? []);
}

function situationOf(wanted: WantedTable, { object, row, relation }: Omit<Seen, "allowedFunctions">): Situation {
  return judgeSituation({
    claimant: { owner: ownerOf(object, row.owner.clusterId), desired: wanted.desired },
    rows: [row],
    row,
    relations: relation === undefined ? [] : [relation],
    schema: { exists: true, mayCreate: true },
    // A missing foreign key is planned whether its target is there or not.
    targets: new Map(),
    server: { version: ASSUMED_VERSION, taken: [] },
  });
}
