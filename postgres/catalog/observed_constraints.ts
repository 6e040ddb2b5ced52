import type { CatalogConstraint } from "./relation.ts";
import type { ForeignKey, Unique } from "../table.ts";

/**
 * Whether a spec could have asked for this constraint. What it could not say is: an exclusion; NOT ENFORCED; MATCH FULL; SET NULL of some
 * columns only; WITHOUT OVERLAPS and PERIOD; NO INHERIT; a key with INCLUDE or that is checked late.
 */
export function isPlain(constraint: CatalogConstraint): boolean {
  const { kind, enforced, period, noInherit, include, references, deferrable } = constraint;
  if (!enforced || period === true || noInherit === true || include !== undefined) return false;
  switch (kind) {
    case "primary key":
    case "unique":
      return deferrable === "No";
    case "check":
      return true;
    case "foreign key":
      return references?.match === "Simple" && references.deleteColumns === undefined;
    case "exclusion":
    case "constraint trigger":
      return false;
  }
}

/** A list of one, or of none for another kind. */
export function uniqueOf({ kind, name, columns, nullsNotDistinct = false }: CatalogConstraint): readonly Unique[] {
  return kind === "unique" ? [{ name, columns, nullsNotDistinct }] : [];
}

/** A list of one, or of none for another kind. */
export function foreignKeyOf(constraint: CatalogConstraint): readonly ForeignKey[] {
  const { name, columns, references: target, deferrable, validated } = constraint;
  if (target === undefined) return [];
  const { schema, table, onDelete, onUpdate } = target;
  const references = { schema, table, columns: target.columns };
  return [{ name, columns, references, onDelete, onUpdate, deferrable, validated }];
}
