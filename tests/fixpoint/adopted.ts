import { assertEquals } from "@std/assert";
import { planSituation } from "../../postgres/plan/planning.ts";
import { lookWithPrints, withPrints } from "../../postgres/situation/look_with_prints.ts";
import { observeSituation } from "../../postgres/situation/situation.ts";
import type { Spec } from "./case.ts";
import { type FixpointDatabase, LIMITS, type Subject, subjectOf } from "./fixpoint_database.ts";

/** Numbers of objects that adopt, above those of all that make. */
const ADOPTERS = 100_000;

/**
 * Lets the registry forget a table, and looks at it with the eyes of another object with the very spec that made it: `IfIdentical`
 * must take it, for nothing differs.
 *
 * @param subject Stands there, made of the spec.
 */
export async function assertAdoptable(
  at: FixpointDatabase,
  spec: Spec,
  { wanted: made, owner: maker }: Subject,
): Promise<void> {
  const { schema } = made.desired;
  const number = Number(maker.name.slice(1));
  await at.run(`DELETE FROM tablewright.owned_table WHERE schema_name = '${schema}'`);
  const { owner, wanted } = await subjectOf(at, spec, { schema, number: number + ADOPTERS, generation: 1 });
  const adoption = { policy: "IfIdentical", renames: wanted.renames } as const;
  const claimant = { owner, desired: wanted.desired, adoption };
  const limits = { ...LIMITS, signal: new AbortController().signal };
  const { situation } = await lookWithPrints(at.database, limits, async (prints) => {
    const asked = withPrints(claimant, prints);
    const look = at.database.transaction({ ...limits, readOnly: true }, (each) => observeSituation(each, asked));
    return { claimant: asked, situation: await look };
  });
  assertEquals(situation.kind, "owned", "the table that another object would adopt");
  const { changes } = await planSituation(wanted, situation);
  assertEquals(changes, [], "what differs for an object that would adopt the table");
}
