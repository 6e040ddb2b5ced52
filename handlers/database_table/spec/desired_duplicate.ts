import { duplicate, type FieldError, invalid } from "../../../crds/field_error.ts";
import type { Check, ForeignKey, Index, PrimaryKey, Unique } from "../../../postgres/table.ts";
import { type DesiredPart, PRIMARY_KEY_PATH } from "./desired_constraint.ts";

/** The parts of a table that may have names. */
export interface DesiredParts {
  readonly table: string | undefined;
  readonly primaryKey: PrimaryKey | undefined;
  readonly uniques: readonly DesiredPart<Unique>[];
  readonly checks: readonly DesiredPart<Check>[];
  readonly foreignKeys: readonly DesiredPart<ForeignKey>[];
  readonly indexes: readonly DesiredPart<Index>[];
}

/**
 * Parts that have a name in common, or that do the same: PostgreSQL makes one of some of the latter, and nobody could tell
 * unnamed ones apart.
 */
export function duplicateFaults(parts: DesiredParts): readonly FieldError[] {
  return [...nameFaults(parts), ...structureFaults(parts)];
}

function nameFaults({ table, uniques, checks, foreignKeys, indexes }: DesiredParts): readonly FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Map<string, string>();
  for (const { part: { name }, path } of [...uniques, ...checks, ...foreignKeys, ...indexes]) {
    if (name === undefined) continue;
    const first = paths.get(name);
    if (first === undefined) paths.set(name, path);
    else errors.push(duplicate(`${path}.name`, `the name "${name}" is already used at ${first}`));
  }
  // Indexes, those of unique constraints too, have their names in common with tables.
  for (const { part: { name }, path } of [...uniques, ...indexes]) {
    if (name !== undefined && name === table) errors.push(invalid(`${path}.name`, `"${name}" is the table's own name`));
  }
  return errors;
}

function structureFaults({ primaryKey, uniques, checks, foreignKeys, indexes }: DesiredParts): readonly FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Map<string, string>();
  const see = (structure: readonly unknown[], path: string) => {
    const key = JSON.stringify(structure);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else errors.push(duplicate(path, `does the same as ${first}: leave one of them out`));
  };
  if (primaryKey !== undefined) see(["unique", primaryKey.columns, false], PRIMARY_KEY_PATH);
  for (const { part, path } of uniques) {
    const isKey = JSON.stringify(part.columns) === JSON.stringify(primaryKey?.columns);
    see(["unique", part.columns, part.nullsNotDistinct && !isKey], path);
  }
  for (const { part, path } of checks) see(["check", part.expression], path);
  for (const { part: { columns, references }, path } of foreignKeys) {
    see(["foreign key", columns, references.schema, references.table, references.columns], path);
  }
  for (const { part, path } of indexes) see(indexStructure(part), path);
  return errors;
}

/** A unique index over plain columns is what a unique constraint has already. */
function indexStructure({ unique, nullsNotDistinct, method, keys, include, where }: Index): readonly unknown[] {
  const isPlain = unique && include.length === 0 && where === undefined &&
    keys.every(({ column, opclass, collation, order, nulls }) =>
      column !== undefined && opclass === undefined && collation === undefined && order === "Ascending" &&
      nulls === "Last"
    );
  if (isPlain) return ["unique", keys.map((key) => key.column), nullsNotDistinct];
  const parts = keys.map(({ column, expression, opclass, collation, order, nulls }) => [
    column,
    expression,
    opclass,
    collation,
    order,
    nulls,
  ]);
  return ["index", unique, nullsNotDistinct, method, parts, include, where];
}
