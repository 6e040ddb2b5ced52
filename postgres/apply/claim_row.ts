import { claim, findOwned, forget, type OwnedTable, takeOver } from "../registry/registry.ts";
import type { Transaction } from "../session/client.ts";
import { type Conflict, isNeverRecorded, ownRow } from "../situation/situation.ts";
import type { ApplyRequest } from "./request.ts";
import { end, RolledBack } from "./round.ts";

/**
 * The fence: from here on no other operator changes what this object owns.
 *
 * @throws {RolledBack} if the row is not the object's.
 */
export async function claimRow<F>(
  transaction: Transaction,
  request: ApplyRequest<F>,
  origin: OwnedTable["origin"],
): Promise<OwnedTable> {
  const { owner, desired, specHash } = request;
  const retained = ownRow(
    await findOwned(transaction, { owner, schema: desired.schema, table: desired.name }),
    request,
  );
  if (retained !== undefined && retained.owner.uid !== owner.uid) {
    // A frozen watch may still show the predecessor of an object that has the row by now.
    if (!await request.isLiving()) throw new RolledBack(end({ kind: "busy" }));
    await takeOver(transaction, retained, owner);
  }
  const wanted = { owner, schema: desired.schema, table: desired.name, specHash, origin };
  let claimed = await claim(transaction, wanted);
  if (claimed.kind === "claimed" && isNeverRecorded(claimed.row) && claimed.row.origin !== origin) {
    // It owns nothing, but would say of what it will own that it began otherwise.
    await forget(transaction, claimed.row.id);
    claimed = await claim(transaction, wanted);
  }
  switch (claimed.kind) {
    case "claimed":
      return claimed.row;
    case "fenced":
      throw new RolledBack(end({ kind: "fenced", generation: claimed.generation }));
    case "ownedByOther": {
      const sameCluster = claimed.owner.clusterId === owner.clusterId;
      const conflict: Conflict = { kind: "OwnedByOther", name: desired.name, owner: claimed.owner, sameCluster };
      throw new RolledBack(end({ kind: "conflict", conflict }));
    }
  }
}
