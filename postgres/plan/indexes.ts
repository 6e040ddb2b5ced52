import type { IndexChange } from "../change.ts";
import { pairParts } from "./pair.ts";
import type { Index, Table } from "../table.ts";

/** Changes of indexes, by the place where they run. */
export interface IndexPlan {
  readonly drops: readonly IndexChange[];
  readonly renames: readonly IndexChange[];
  readonly adds: readonly IndexChange[];
}

/** @param attached Names of indexes that become constraints in this plan. */
export function planIndexes(desired: Table, observed: Table, attached: ReadonlySet<string>): IndexPlan {
  const there = observed.indexes.filter((index) => !attached.has(index.name ?? ""));
  const { pairs, missing, surplus } = pairParts(desired.indexes, there, structureOfIndex);
  return {
    drops: surplus.flatMap(({ name }) => name === undefined ? [] : [{ kind: "DropIndex", name } as const]),
    renames: pairs.flatMap(({ desired: { name: to }, observed: { name: from } }) =>
      to === undefined || from === undefined || to === from ? [] : [{ kind: "RenameIndex", from, to } as const]
    ),
    adds: [
      ...missing.map((index) => ({ kind: "CreateIndex", index } as const)),
      ...pairs.flatMap(({ desired: index, observed: { valid, name } }) =>
        valid || name === undefined ? [] : [{ kind: "RebuildIndex", name: index.name ?? name, index } as const]
      ),
    ],
  };
}

/** Everything but the name and whether it is complete. */
function structureOfIndex({ unique, nullsNotDistinct, method, keys, include, where }: Index): string {
  const parts = keys.map((
    { column, expression, opclass, collation, order, nulls },
  ) => [column, expression, opclass, collation, order, nulls]);
  return JSON.stringify([unique, nullsNotDistinct, method, parts, include, where]);
}
