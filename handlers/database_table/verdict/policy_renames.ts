import { type FieldError, invalid } from "../../../crds/field_error.ts";
import type { PolicyContext } from "./policy_context.ts";

/**
 * A `renamedFrom` that cannot be meant. It outlives the rename: with only the new name there it is done, and for a new
 * table it says nothing.
 */
export function refuseRenames({ desired, plan, situation }: PolicyContext): readonly FieldError[] {
  if (situation?.kind !== "owned") return [];
  const names = new Set(situation.relation.columns.map((column) => column.name));
  return [...desired.renames].flatMap(([to, from]) => {
    if (plan.renames.some((rename) => rename.to === to) || (names.has(to) && !names.has(from))) return [];
    const path = `${desired.columnPaths.get(to)?.path ?? "spec.columns"}.renamedFrom`;
    if (names.has(to)) {
      return [invalid(path, `the table has both "${from}" and "${to}": which of them holds the data cannot be known`)];
    }
    return [invalid(
      path,
      names.has(from)
        ? `column "${from}" was not made by this operator and cannot be renamed`
        : `the table has neither "${from}" nor "${to}": name the column as it is called now, or leave renamedFrom out`,
    )];
  });
}
