import type { IndexChange } from "../change.ts";
import { type Pairing, pairParts } from "./pair.ts";
import type { Index, Table } from "../table.ts";

/** Changes of indexes, by the place where they run. */
export interface IndexPlan {
  readonly drops: readonly IndexChange[];
  readonly renames: readonly IndexChange[];
  readonly adds: readonly IndexChange[];
  /** Columns of unique indexes that go, which a foreign key could refer to. */
  readonly goneKeys: readonly (readonly string[])[];
}

/** Names of indexes that are not compared. */
export interface Uncompared {
  /** They become constraints in this plan. */
  readonly attached: ReadonlySet<string>;
  /** They go and come again. */
  readonly remade: ReadonlySet<string>;
}

/** Plans indexes by their structure. */
export function planIndexes(desired: Table, observed: Table, { attached, remade }: Uncompared): IndexPlan {
  const there = observed.indexes.filter(({ name = "" }) => !attached.has(name));
  const isRemade = ({ name = "" }: Index) => remade.has(name);
  const pairing = pairParts(desired.indexes, there.filter((index) => !isRemade(index)), structureOfIndex);
  const { pairs, missing } = pairing;
  const surplus = [...pairing.surplus, ...there.filter(isRemade)];
  return {
    drops: surplus.flatMap(({ name }) => name === undefined ? [] : [{ kind: "DropIndex", name } as const]),
    renames: pairs.flatMap(renameOf).toSorted((a, b) => a.to < b.to ? -1 : 1),
    adds: [
      ...missing.map((index) => ({ kind: "CreateIndex", index } as const)),
      ...pairs.flatMap(({ desired: index, observed: { valid, name } }) =>
        valid || name === undefined ? [] : [{ kind: "RebuildIndex", name, index: { name, ...index } } as const]
      ),
    ],
    goneKeys: surplus.flatMap(({ unique, where, keys }) => {
      const columns = keys.flatMap(({ column }) => column ?? []);
      return unique && where === undefined && columns.length === keys.length ? [columns] : [];
    }),
  };
}

/** One that was never finished gets its name when it is built again. */
function renameOf(
  { desired: { name: to }, observed: { name: from, valid } }: Pairing<Index>["pairs"][number],
): readonly (IndexChange & { readonly kind: "RenameIndex" })[] {
  return !valid || to === undefined || from === undefined || to === from ? [] : [{ kind: "RenameIndex", from, to }];
}

/** Everything but the name and whether it is complete. */
function structureOfIndex({ unique, nullsNotDistinct, method, keys, include, where }: Index): string {
  const parts = keys.map((
    { column, expression, opclass, collation, order, nulls },
  ) => [column, expression, opclass, collation, order, nulls]);
  return JSON.stringify([unique, nullsNotDistinct, method, parts, include, where]);
}
