import type { SchemaChange } from "../change.ts";

/** A check `column IS NOT NULL` of ours, on the way to NOT NULL. */
export interface NotNullHelper {
  readonly column: string;
  readonly name: string;
  readonly validated: boolean;
}

/** Begins the name of every check that we make only to get to NOT NULL. */
export const NOT_NULL_HELPER = "tablewright_nn_";

/** Those that no dropped column takes with it. */
export function remainingHelpers(
  changes: readonly SchemaChange[],
  helpers: readonly NotNullHelper[],
): readonly NotNullHelper[] {
  const dropped = new Set(changes.flatMap((change) => change.kind === "DropColumn" ? [change.column.name] : []));
  return helpers.filter(({ column }) => !dropped.has(column));
}

/** Takes away a helper check that has served, or that nobody needs any more. */
export function dropHelper(helper: NotNullHelper): SchemaChange {
  return { kind: "DropConstraint", name: helper.name, constraint: "check", columns: [helper.column] };
}
