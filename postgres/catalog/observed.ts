import type { CatalogColumn, Relation } from "./relation.ts";
import { foreignKeyOf, isPlain, uniqueOf } from "./observed_constraints.ts";
import { indexOf, isPlainIndex } from "./observed_indexes.ts";
import { declaredText, expressionKey, type Expressions } from "../registry/expressions.ts";
import type { OwnedTable } from "../registry/registry.ts";
import { type Check, type Column, findColumn, type PrimaryKey, type Table, type UnmanagedObject } from "../table.ts";

/** What is known beside the catalog. */
export interface Known {
  readonly row: OwnedTable | undefined;
  readonly desired: Table;
}

/**
 * The part of a relation that plans may look at: what the registry says we made, the columns that the spec names, and
 * the primary key, of which there is one at most. Everything else is `unmanaged`: added by somebody by hand, kept, and
 * never planned. So is a constraint or an index that only has the name that the spec gives to one (see `takenNames()`),
 * and one of ours that somebody replaced by something that no spec can say (MATCH FULL, NOT ENFORCED, ...).
 *
 * A column whose NOT NULL is not validated is the opposite of what is wanted, whatever that is: it needs a change.
 */
export function tableOf(relation: Relation, known: Known): Table {
  const members = known.row?.members;
  const expressions = known.row?.expressions;
  const isOurs = (name: string) =>
    members?.column.includes(name) === true || findColumn(known.desired, name) !== undefined;
  const constraints = relation.constraints.filter((each) => members?.constraint.includes(each.name) && isPlain(each));
  const indexes = relation.indexes.filter((each) => members?.index.includes(each.name) && isPlainIndex(each));
  const primaryKey = primaryKeyOf(relation);
  return {
    schema: relation.schema,
    name: relation.name,
    ...(relation.comment === undefined ? {} : { comment: relation.comment }),
    columns: relation.columns.filter(({ name }) => isOurs(name)).map((column) => columnOf(column, known)),
    ...(primaryKey === undefined ? {} : { primaryKey }),
    uniques: constraints.flatMap(uniqueOf),
    checks: constraints.flatMap(({ name, expression, validated }): Check[] =>
      expression === undefined
        ? []
        : [{ name, expression: textOf(expressions, expressionKey.check(name), expression), validated }]
    ),
    foreignKeys: constraints.flatMap(foreignKeyOf),
    indexes: indexes.map((index) => indexOf(index, expressions)),
    unmanaged: [
      ...relation.columns.filter(({ name }) => !isOurs(name)).map(({ name }) => unmanaged("column", name)),
      ...relation.constraints.filter((each) =>
        !["primary key", "constraint trigger"].includes(each.kind) && !constraints.includes(each)
      )
        .map(({ name, kind }) => unmanaged(kind === "exclusion" ? "exclusion constraint" : "constraint", name)),
      ...relation.indexes.filter((index) => !indexes.includes(index)).map(({ name }) => unmanaged("index", name)),
      ...relation.triggers.map((name) => unmanaged("trigger", name)),
      ...relation.policies.map((name) => unmanaged("policy", name)),
      ...relation.statistics.map((name) => unmanaged("statistics", name)),
      ...relation.inheritance.map((name) => unmanaged("inheritance", name)),
    ],
  };
}

/** The primary key by structure; a table has at most one. */
function primaryKeyOf(relation: Relation): PrimaryKey | undefined {
  const key = relation.constraints.find((constraint) => constraint.kind === "primary key");
  return key === undefined ? undefined : { name: key.name, columns: key.columns };
}

/**
 * Names that the spec gives to a constraint or an index, and that something which we did not make has on this table
 * already: it must not be altered, so the spec needs another name. Names in other tables of the schema (of indexes, and of
 * the constraints that have one) are the matter of `observeRelations()`.
 */
export function takenNames(relation: Relation, known: Known): readonly UnmanagedObject[] {
  const { desired, row } = known;
  const constraints = [...desired.uniques, ...desired.checks, ...desired.foreignKeys].map(({ name }) => name);
  const indexes = desired.indexes.map(({ name }) => name);
  const wanted = new Set([desired.primaryKey?.name, ...constraints, ...indexes].filter((name) => name !== undefined));
  const observed = tableOf(relation, { row, desired });
  const notNull = relation.columns.flatMap(({ notNullConstraint: name }) => name ?? []);
  const triggers = relation.constraints.filter(({ kind }) => kind === "constraint trigger").map(({ name }) => name);
  return [
    ...observed.unmanaged.filter(({ kind }) => ["constraint", "exclusion constraint", "index"].includes(kind)),
    ...[...notNull, ...triggers].filter((name) => constraints.includes(name)).map((name) =>
      unmanaged("constraint", name)
    ),
  ].filter(({ name }) => wanted.has(name));
}

function columnOf(column: CatalogColumn, { row, desired }: Known): Column {
  const { name, type, notNull, notNullValidated, identity, collation, comment } = column;
  const isWanted = findColumn(desired, name)?.notNull === true;
  return {
    name,
    type,
    notNull: notNull && (notNullValidated || !isWanted),
    ...(column.default === undefined
      ? {}
      : { default: textOf(row?.expressions, expressionKey.default(name), column.default) }),
    ...(identity === undefined ? {} : { identity }),
    ...(column.generated === undefined
      ? {}
      : { generated: textOf(row?.expressions, expressionKey.generated(name), column.generated) }),
    ...(collation === undefined ? {} : { collation }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/**
 * PostgreSQL stores what it made of an expression (`'x'` becomes `'x'::text`). While the stored text is the one that the
 * registry recorded, the declared text stands for it; otherwise somebody changed it, and the stored text speaks.
 */
function textOf(known: Expressions | undefined, key: string, stored: string): string {
  return declaredText(known, key, stored) ?? stored;
}

function unmanaged(kind: UnmanagedObject["kind"], name: string): UnmanagedObject {
  return { kind, name };
}
