import type { ConstraintChange } from "../change.ts";
import { type Named, type Pairing, pairParts } from "./pair.ts";
import type { Check, Index, PrimaryKey, Table, Unique } from "../table.ts";

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
  /** Columns of primary keys and unique constraints that go. */
  readonly goneKeys: readonly (readonly string[])[];
}

/**
 * Plans primary key, unique constraints and checks.
 *
 * @param remade Names of checks that go and come again.
 */
export function planConstraints(desired: Table, observed: Table, remade: ReadonlySet<string>): ConstraintPlan {
  const keys = pairParts(listOf(desired.primaryKey), listOf(observed.primaryKey), structureOfKey);
  const uniques = pairParts(desired.uniques, observed.uniques, structureOfUnique);
  const checks = pairUnless(remade, desired.checks, observed.checks);
  const attach = (key: PrimaryKey | Unique, nullsNotDistinct: boolean) => {
    // Until it is attached nothing else can have the name of the index.
    const names = observed.indexes.filter((index) => isLike(index, key.columns, nullsNotDistinct))
      .flatMap(({ name }) => name === undefined || isNameGiven(desired, { name, besides: key }) ? [] : [name]);
    return names.find((name) => name === key.name) ?? names[0];
  };
  const added = [
    ...keys.missing.map((key) => addKey(key, attach(key, false))),
    ...uniques.missing.map((unique) => addUnique(unique, attach(unique, unique.nullsNotDistinct))),
  ];
  return {
    drops: [
      ...checks.surplus.map((check) => drop(check, "check", [])),
      ...uniques.surplus.map((unique) => drop(unique, "unique constraint", unique.columns)),
      ...keys.surplus.map((key) => drop(key, "primary key", key.columns)),
    ].filter((change) => change.name !== ""),
    renames: [keys, uniques, checks].flatMap((pairing: Pairing<Named>) => renamesOf(pairing)),
    adds: [
      ...added,
      ...checks.missing.map((check) => ({ kind: "AddCheck", check } as const)),
    ],
    validations: validationsOf(checks),
    newKey: new Set(keys.missing.flatMap((key) => key.columns)),
    attached: new Set(added.flatMap((change) => change.kind === "AttachIndex" ? [change.index] : [])),
    goneKeys: [...keys.surplus, ...uniques.surplus].map(({ columns }) => columns),
  };
}

function pairUnless(
  remade: ReadonlySet<string>,
  desired: readonly Check[],
  observed: readonly Check[],
): Pairing<Check> {
  const isRemade = ({ name }: Check) => name !== undefined && remade.has(name);
  const pairing = pairParts(desired, observed.filter((check) => !isRemade(check)), ({ expression }) => expression);
  return { ...pairing, surplus: [...pairing.surplus, ...observed.filter(isRemade)] };
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

function drop(
  part: Named,
  constraint: "primary key" | "unique constraint" | "check",
  columns: readonly string[],
): ConstraintChange & { kind: "DropConstraint" } {
  return { kind: "DropConstraint", name: part.name ?? "", constraint, columns };
}

function renamesOf(pairing: Pairing<Named>): ConstraintChange[] {
  return pairing.pairs.flatMap(({ desired, observed }) =>
    desired.name === undefined || observed.name === undefined || desired.name === observed.name
      ? []
      : [{ kind: "RenameConstraint", from: observed.name, to: desired.name } as const]
  );
}

function validationsOf(pairing: Pairing<Check>): ConstraintChange[] {
  return pairing.pairs.flatMap(({ desired, observed }) => {
    const name = desired.name ?? observed.name;
    return observed.validated || name === undefined ? [] : [{ kind: "ValidateConstraint", name } as const];
  });
}

/** Whether it is a unique index as a step before builds it for such a key. */
function isLike(index: Index, columns: readonly string[], nullsNotDistinct: boolean): boolean {
  return index.unique && index.valid && index.method === "btree" && index.where === undefined &&
    index.include.length === 0 && index.nullsNotDistinct === nullsNotDistinct &&
    index.keys.length === columns.length &&
    index.keys.every((key, position) =>
      key.column === columns[position] && key.opclass === undefined && key.collation === undefined &&
      key.order === "Ascending" && key.nulls === "Last"
    );
}

/** A key that nobody named gets its name with the steps of the plan: only they know which names are free. */
function addKey(key: PrimaryKey, index: string | undefined): ConstraintChange {
  return index === undefined ? { kind: "AddPrimaryKey", key } : attachIndex(index, key, "primary key");
}

function addUnique(unique: Unique, index: string | undefined): ConstraintChange {
  return index === undefined ? { kind: "AddUnique", unique } : attachIndex(index, unique, "unique constraint");
}

function attachIndex(
  index: string,
  { name, columns }: PrimaryKey | Unique,
  constraint: "primary key" | "unique constraint",
): ConstraintChange & { readonly kind: "AttachIndex" } {
  return { kind: "AttachIndex", index, ...(name === undefined ? {} : { name }), constraint, columns };
}
