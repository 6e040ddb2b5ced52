import type { ConstraintChange } from "../change.ts";
import { type Pairing, pairParts } from "./pair.ts";
import type { ForeignKey, Table } from "../table.ts";

/** Changes of foreign keys, by the place where they run. */
export interface ForeignKeyPlan {
  readonly drops: readonly ConstraintChange[];
  readonly renames: readonly ConstraintChange[];
  readonly adds: readonly ConstraintChange[];
  readonly validations: readonly ConstraintChange[];
}

/**
 * Plans foreign keys. One of the table to itself goes and comes again where the key that it refers to is replaced:
 * PostgreSQL drops no key that a foreign key stands on.
 *
 * @param goneKeys Columns of primary keys, unique constraints and unique indexes that go.
 */
export function planForeignKeys(
  desired: Table,
  observed: Table,
  goneKeys: readonly (readonly string[])[],
): ForeignKeyPlan {
  const { pairs, missing, surplus } = pairParts(desired.foreignKeys, observed.foreignKeys, structureOfForeignKey);
  const isBroken = ({ references }: ForeignKey) =>
    references.schema === desired.schema && references.table === desired.name &&
    goneKeys.some((columns) => isSameSet(columns, references.columns));
  const broken = pairs.filter(({ observed: key }) => key.name !== undefined && isBroken(key));
  const kept = pairs.filter((pair) => !broken.includes(pair));
  return {
    drops: [...surplus, ...broken.map(({ observed: key }) => key)].flatMap(dropForeignKey),
    renames: kept.flatMap(renameOf),
    adds: [
      ...missing.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey } as const)),
      ...broken.map(addAgain),
      ...kept.flatMap(planDeferrability),
    ],
    validations: kept.flatMap(validationOf),
  };
}

type Pair = Pairing<ForeignKey>["pairs"][number];

/** Whether it is checked late can be altered, so it does not tell two keys apart. */
function structureOfForeignKey({ columns, references, onDelete, onUpdate }: ForeignKey): string {
  return JSON.stringify([columns, references.schema, references.table, references.columns, onDelete, onUpdate]);
}

/** A foreign key may name the columns of a key in any order. */
function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((column) => right.includes(column));
}

function dropForeignKey({ name, columns, references }: ForeignKey): readonly ConstraintChange[] {
  return name === undefined ? [] : [{ kind: "DropConstraint", name, constraint: "foreign key", columns, references }];
}

function addAgain({ desired, observed }: Pair): ConstraintChange {
  const name = desired.name ?? observed.name;
  return { kind: "AddForeignKey", foreignKey: name === undefined ? desired : { ...desired, name } };
}

function renameOf({ desired: { name: to }, observed: { name: from } }: Pair): readonly ConstraintChange[] {
  return to === undefined || from === undefined || to === from ? [] : [{ kind: "RenameConstraint", from, to }];
}

function planDeferrability({ desired, observed }: Pair): readonly ConstraintChange[] {
  const name = desired.name ?? observed.name;
  const { deferrable } = desired;
  if (deferrable === observed.deferrable || name === undefined) return [];
  return [{ kind: "AlterDeferrability", name, deferrable }];
}

function validationOf({ desired, observed }: Pair): readonly ConstraintChange[] {
  const name = desired.name ?? observed.name;
  if (observed.validated || name === undefined) return [];
  return [{ kind: "ValidateConstraint", name, references: desired.references }];
}
