import type { Behind } from "./round.ts";
import { type Claimant, judgeSituation, type Situation } from "../situation/situation.ts";

/**
 * What a transaction that was committed left behind, as a look would find it: its locks kept everybody else off until then. Names that
 * are taken are not known.
 */
export async function situationBehind(claimant: Claimant, behind: Behind | undefined): Promise<Situation | undefined> {
  const row = await behind?.recorded;
  if (behind === undefined || row === undefined) return undefined;
  const { relation, targets, version } = behind;
  const schema = { exists: true, mayCreate: true };
  const server = { version, taken: [] };
  return judgeSituation({ claimant, rows: [row], row, relations: [relation], schema, targets, server });
}
