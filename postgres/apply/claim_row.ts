import { claim, findOwned, forget, type OwnedTable, takeOver } from "../registry/registry.ts";
import type { Transaction } from "../session/client.ts";
import { type Conflict, isNeverRecorded, ownRow } from "../situation/situation.ts";
import type { ApplyRequest } from "./request.ts";
import { end, RolledBack } from "./round.ts";

/** The object's row, locked until the end of the transaction. */
export interface ClaimedRow {
  readonly row: OwnedTable;
  /** One statement was enough: what was sent behind it saw the row as it is. */
  readonly isAtOnce: boolean;
}

/**
 * The fence: from here on no other operator changes what this object owns.
 *
 * @throws {RolledBack} if the row is not the object's.
 */
export async function claimRow<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  origin: OwnedTable["origin"],
): Promise<ClaimedRow> {
  const { owner, desired, specHash } = request;
  const wanted = { owner, schema: desired.schema, table: desired.name, specHash, origin };
  const first = await claim(transaction, wanted);
  let claimed = first;
  // What a predecessor retained looks like another's.
  if (claimed.kind === "ownedByOther" && await takeRetained(transaction, request)) {
    claimed = await claim(transaction, wanted);
  }
  if (claimed.kind === "claimed" && isNeverRecorded(claimed.row) && claimed.row.origin !== origin) {
    // It owns nothing, but would say of what it will own that it began otherwise.
    await forget(transaction, claimed.row.id);
    claimed = await claim(transaction, wanted);
  }
  switch (claimed.kind) {
    case "claimed":
      return { row: claimed.row, isAtOnce: claimed === first };
    case "fenced":
      throw new RolledBack(end({ kind: "fenced", generation: claimed.generation }));
    case "ownedByOther": {
      const sameCluster = claimed.owner.clusterId === owner.clusterId;
      const conflict: Conflict = { kind: "OwnedByOther", name: desired.name, owner: claimed.owner, sameCluster };
      throw new RolledBack(end({ kind: "conflict", conflict }));
    }
  }
}

async function takeRetained<F>(transaction: Transaction, request: ApplyRequest<F>): Promise<boolean> {
  const { owner, desired } = request;
  const rows = await findOwned(transaction, { owner, schema: desired.schema, table: desired.name });
  const retained = ownRow(rows, request);
  if (retained === undefined || retained.owner.uid === owner.uid) return false;
  // A frozen watch may still show the predecessor of an object that has the row by now.
  if (!await request.isLiving()) throw new RolledBack(end({ kind: "busy" }));
  return await takeOver(transaction, retained, owner);
}
