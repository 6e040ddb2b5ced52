import { duplicate, type FieldError, invalid } from "../../../crds/field_error.ts";
import type { ColumnCollector } from "./desired_column.ts";
import { readName } from "./desired_name.ts";

/** Old names by new ones, from the fields `renamedFrom`. */
export function readRenames(columns: ColumnCollector, errors: FieldError[]): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  const paths = new Map<string, string>();
  for (const { name, spec } of columns.named) {
    if (spec.renamedFrom === undefined) continue;
    const path = `${spec.path}.renamedFrom`;
    const from = readName(spec.renamedFrom, path, errors);
    if (from === undefined) continue;
    const other = paths.get(from);
    const still = columns.paths.get(from);
    if (from === name) {
      errors.push(invalid(path, `must be another name than the column's own, "${name}"`));
    } else if (columns.has(from)) {
      const where = still === undefined ? "" : ` (${still.path})`;
      errors.push(
        invalid(path, `column "${from}" is still in spec.columns${where}: remove it there, or leave renamedFrom out`),
      );
    } else if (other !== undefined) {
      errors.push(duplicate(path, `column "${from}" is already renamed at ${other}`));
    } else {
      renames.set(name, from);
      paths.set(from, path);
    }
  }
  return renames;
}
