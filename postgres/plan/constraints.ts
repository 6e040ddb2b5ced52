import type { ConstraintChange } from "../change.ts";
import { type Named, type Pairing, pairParts } from "./pair.ts";
import type { Check, ForeignKey, Index, PrimaryKey, Table, Unique } from "../table.ts";

/** Changes of constraints, by the place where they run. */
export interface ConstraintPlan {
  readonly drops: readonly ConstraintChange[];
  readonly renames: readonly ConstraintChange[];
  readonly adds: readonly ConstraintChange[];
  readonly validations: readonly ConstraintChange[];
  /** Columns of a primary key that is about to be made. */
  readonly newKey: ReadonlySet<string>;
  /** Names of unique indexes that become constraints: no plan of indexes may drop them. */
  readonly attached: ReadonlySet<string>;
}

/** Plans primary key, unique constraints, checks and foreign keys. */
export function planConstraints(desired: Table, observed: Table): ConstraintPlan {
  const keys = pairParts(listOf(desired.primaryKey), listOf(observed.primaryKey), structureOfKey);
  const uniques = pairParts(desired.uniques, observed.uniques, structureOfUnique);
  const checks = pairParts(desired.checks, observed.checks, (check) => check.expression);
  const foreignKeys = pairParts(desired.foreignKeys, observed.foreignKeys, structureOfForeignKey);
  const attach = (key: PrimaryKey | Unique, nullsNotDistinct: boolean) => {
    const index = findAttachable(observed.indexes, key.columns, nullsNotDistinct);
    // Until it is attached, and behind that if the key has no name, nothing else can have the name of the index.
    return index !== undefined && isNameGiven(desired, { name: index, besides: key }) ? undefined : index;
  };
  const added = [
    ...keys.missing.map((key) => addKey(key, attach(key, false))),
    ...uniques.missing.map((unique) => addUnique(unique, attach(unique, unique.nullsNotDistinct))),
  ];
  return {
    drops: [
      ...foreignKeys.surplus.map(dropForeignKey),
      ...checks.surplus.map((check) => drop(check, "check", [])),
      ...uniques.surplus.map((unique) => drop(unique, "unique constraint", unique.columns)),
      ...keys.surplus.map((key) => drop(key, "primary key", key.columns)),
    ].filter((change) => change.name !== ""),
    renames: [keys, uniques, checks, foreignKeys].flatMap((pairing: Pairing<Named>) => renamesOf(pairing)),
    adds: [
      ...added,
      ...checks.missing.map((check) => ({ kind: "AddCheck", check } as const)),
      ...foreignKeys.missing.map((foreignKey) => ({ kind: "AddForeignKey", foreignKey } as const)),
      ...foreignKeys.pairs.flatMap(planDeferrability),
    ],
    validations: [...validationsOf(checks), ...validationsOf(foreignKeys)],
    newKey: new Set(keys.missing.flatMap((key) => key.columns)),
    attached: new Set(added.flatMap((change) => change.kind === "AttachIndex" ? [change.index] : [])),
  };
}

/** Whether the spec gives that name to another constraint or to an index. */
function isNameGiven(
  { primaryKey, uniques, checks, foreignKeys, indexes }: Table,
  { name, besides }: { readonly name: string; readonly besides: Named },
): boolean {
  return [primaryKey, ...uniques, ...checks, ...foreignKeys, ...indexes]
    .some((part) => part !== besides && part?.name === name);
}

function listOf<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function structureOfKey(key: PrimaryKey): string {
  return JSON.stringify(key.columns);
}

function structureOfUnique(unique: Unique): string {
  return JSON.stringify([unique.columns, unique.nullsNotDistinct]);
}

/** Whether it is checked late can be altered, so it does not tell two keys apart. */
function structureOfForeignKey({ columns, references, onDelete, onUpdate }: ForeignKey): string {
  return JSON.stringify([columns, references.schema, references.table, references.columns, onDelete, onUpdate]);
}

function drop(
  part: Named,
  constraint: "primary key" | "unique constraint" | "check",
  columns: readonly string[],
): ConstraintChange & { kind: "DropConstraint" } {
  return { kind: "DropConstraint", name: part.name ?? "", constraint, columns };
}

function dropForeignKey({ name, columns, references }: ForeignKey): ConstraintChange & { kind: "DropConstraint" } {
  return { kind: "DropConstraint", name: name ?? "", constraint: "foreign key", columns, references };
}

function renamesOf(pairing: Pairing<Named>): ConstraintChange[] {
  return pairing.pairs.flatMap(({ desired, observed }) =>
    desired.name === undefined || observed.name === undefined || desired.name === observed.name
      ? []
      : [{ kind: "RenameConstraint", from: observed.name, to: desired.name } as const]
  );
}

function planDeferrability(pair: { readonly desired: ForeignKey; readonly observed: ForeignKey }): ConstraintChange[] {
  const name = pair.desired.name ?? pair.observed.name;
  const { deferrable } = pair.desired;
  if (deferrable === pair.observed.deferrable || name === undefined) return [];
  return [{ kind: "AlterDeferrability", name, deferrable }];
}

function validationsOf(pairing: Pairing<Check | ForeignKey>): ConstraintChange[] {
  return pairing.pairs.flatMap(({ desired, observed }) => {
    const name = desired.name ?? observed.name;
    if (observed.validated || name === undefined) return [];
    const references = "references" in desired ? { references: desired.references } : {};
    return [{ kind: "ValidateConstraint", name, ...references } as const];
  });
}

/** A unique index that a step before built for exactly this constraint. */
function findAttachable(
  indexes: readonly Index[],
  columns: readonly string[],
  nullsNotDistinct: boolean,
): string | undefined {
  return indexes.find((index) =>
    index.unique && index.valid && index.method === "btree" && index.where === undefined &&
    index.include.length === 0 &&
    index.nullsNotDistinct === nullsNotDistinct && index.keys.length === columns.length &&
    index.keys.every((key, position) =>
      key.column === columns[position] && key.opclass === undefined && key.collation === undefined &&
      key.order === "Ascending" && key.nulls === "Last"
    )
  )?.name;
}

/** The index already has the name that PostgreSQL would have given the constraint. */
function addKey(key: PrimaryKey, index: string | undefined): ConstraintChange {
  if (index === undefined) return { kind: "AddPrimaryKey", key };
  const name = key.name ?? index;
  return { kind: "AttachIndex", index, name, constraint: "primary key", columns: key.columns };
}

function addUnique(unique: Unique, index: string | undefined): ConstraintChange {
  if (index === undefined) return { kind: "AddUnique", unique };
  const name = unique.name ?? index;
  return { kind: "AttachIndex", index, name, constraint: "unique constraint", columns: unique.columns };
}
