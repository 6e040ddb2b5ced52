import { assertEquals } from "@std/assert";
import { foreignParts } from "../../postgres/registry/foreign_text.ts";
import type { FixpointCase } from "./case.ts";
import type { FixpointDatabase, Seen, Subject } from "./fixpoint_database.ts";
import { changeCase, type MadeCase, makeCase } from "./run_case.ts";

/**
 * Dumps the tables of some subjects, restores them elsewhere, and looks at them with the operator's eyes: nothing may be left to
 * plan before the first apply, by it and behind it, and the registry must be of the new place.
 *
 * @returns how many expressions are printed in another way than they were recorded.
 */
export async function assertRestored(at: FixpointDatabase, subjects: readonly Subject[]): Promise<number> {
  const schemas = subjects.map(({ wanted }) => wanted.desired.schema);
  const restored = await at.restored("fixpoint_restored", schemas);
  try {
    let texts = 0;
    for (const subject of subjects) texts += await assertUnchanged(restored, subject);
    const line = `${subjects.length} tables dumped and restored, ${texts} expressions printed otherwise, 0 planned\n`;
    await Deno.stdout.write(new TextEncoder().encode(line));
    return texts;
  } finally {
    await restored.stop();
  }
}

/**
 * Makes the old tables of some cases, dumps and restores them, and changes them there to what the cases want: what a plan is, and
 * where it leads, must not know of that.
 */
export async function assertChangedElsewhere(at: FixpointDatabase, cases: readonly FixpointCase[]): Promise<void> {
  const made: (readonly [FixpointCase, MadeCase])[] = [];
  for (const each of cases) made.push([each, await makeCase(at, each)]);
  const restored = await at.restored("fixpoint_changed", made.map(([, { schema }]) => schema));
  try {
    for (const [each, old] of made) {
      await changeCase(restored, each, old).catch((error) => {
        throw new Error(`${each.name}: ${error}`, { cause: error });
      });
    }
  } finally {
    await restored.stop();
  }
}

/** @returns how many texts of it are printed in another way than they were recorded. */
async function assertUnchanged(restored: FixpointDatabase, subject: Subject): Promise<number> {
  const name = `${subject.wanted.desired.schema}.${subject.wanted.desired.name}`;
  const before = ownedOf(await restored.observe(subject), name);
  assertEquals([before.changes, before.row.oid], [[], undefined], `${name} before the first apply`);
  const { outcome } = await restored.apply(subject);
  assertEquals([outcome.statements, outcome.created], [[], false], `${name}: the first apply`);
  const after = ownedOf(await restored.observe(subject), name);
  assertEquals([after.changes, after.row.oid], [[], after.relation.oid], `${name} behind the first apply`);
  assertEquals(foreignParts(after.row.expressions, after.relation), [], `${name}: texts`);
  return foreignParts(before.row.expressions, before.relation).length;
}

function ownedOf({ situation, plan: { changes } }: Seen, name: string) {
  if (situation.kind !== "owned") throw new Error(`${name} is not ours: ${JSON.stringify(situation)}`);
  const { row, relation } = situation;
  return { row, relation, changes };
}
