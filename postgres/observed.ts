import type { Relation } from "./catalog.ts";
import type { OwnedTable } from "./registry/registry.ts";
import type { Column, PrimaryKey, Table, UnmanagedObject } from "./table.ts";

/**
 * The part of a relation that plans may look at: what the registry says we made, and what the spec names.
 * Everything else is `unmanaged`: added by somebody by hand, kept, and never planned.
 */
export function tableOf(
  relation: Relation,
  known: { readonly row: OwnedTable | undefined; readonly desired: Table },
): Table {
  const members = known.row?.members;
  const ours = new Set([...(members?.column ?? []), ...known.desired.columns.map((column) => column.name)]);
  const constraints = new Set(members?.constraint ?? []);
  const primaryKey = primaryKeyOf(relation);
  const keyed = new Set(primaryKey?.columns);
  return {
    schema: relation.schema,
    name: relation.name,
    columns: relation.columns
      .filter((column) => ours.has(column.name))
      .map((column): Column => {
        const text = declaredDefault(column.name, column.default, known.row);
        const read = { name: column.name, type: column.type, notNull: column.notNull || keyed.has(column.name) };
        return text === undefined ? read : { ...read, default: text };
      }),
    ...(primaryKey === undefined ? {} : { primaryKey }),
    unmanaged: [
      ...relation.columns.filter((column) => !ours.has(column.name)).map((column) => unmanaged("column", column.name)),
      ...relation.constraints
        .filter((constraint) => constraint.type !== "p" && !constraints.has(constraint.name))
        .map((constraint) => unmanaged("constraint", constraint.name)),
      ...relation.indexes
        .filter((index) => !(members?.index ?? []).includes(index))
        .map((index) => unmanaged("index", index)),
      ...relation.triggers.map((trigger) => unmanaged("trigger", trigger)),
    ],
  };
}

/** The primary key by structure; a table has at most one. */
export function primaryKeyOf(relation: Relation): PrimaryKey | undefined {
  const key = relation.constraints.find((constraint) => constraint.type === "p");
  return key === undefined ? undefined : { name: key.name, columns: key.columns };
}

/**
 * PostgreSQL stores what it made of a default (`'x'` becomes `'x'::text`). While the stored text is the one that the
 * registry recorded, the declared text stands for it; otherwise somebody changed it, and the stored text speaks.
 */
function declaredDefault(column: string, stored: string | undefined, row: OwnedTable | undefined): string | undefined {
  if (stored === undefined) return undefined;
  const recorded = row?.expressions[`default/${column}`];
  return recorded !== undefined && recorded[1] === stored && recorded[0] !== null ? recorded[0] : stored;
}

function unmanaged(kind: UnmanagedObject["kind"], name: string): UnmanagedObject {
  return { kind, name };
}
