import fc from "fast-check";
import { nameOf, type Slot } from "./arbitrary_spec.ts";
import type { Spec } from "./case.ts";

/** Columns of one side of a pair, by what may be said of them without a row that forbids it. */
interface Known {
  /** Every row has another value. */
  readonly distinct: readonly string[];
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
  /** Whole numbers that a neighbour's key has. */
  readonly references: readonly string[];
  readonly all: readonly string[];
}

function knownOf(slots: readonly Slot[], at: "old" | "next"): Known {
  const found = slots.flatMap((slot, index) => {
    const here = slot[at];
    if (here === undefined) return [];
    // A column that comes has one value in all rows, and a column that is made anew has lost its own.
    const isKept = at === "old" || slot.old !== undefined && here.source !== "generated";
    return [{ name: nameOf(slot, index, at), slot, here, isKept }];
  });
  const named = (isWanted: (each: typeof found[number]) => boolean) => found.filter(isWanted).map(({ name }) => name);
  const isNumber = ({ slot }: typeof found[number]) => slot.family === "numbers";
  return {
    distinct: [
      "ID",
      ...named(({ slot, isKept }) => isKept && ["numbers", "texts", "ids", "times"].includes(slot.family)),
    ],
    numbers: ["ID", ...named(isNumber)],
    texts: named(({ slot }) => slot.family === "texts"),
    references: ["ID", ...named((each) => isNumber(each) && each.isKept && isInteger(each.here) && isPlain(each.slot))],
    all: ["ID", ...found.map(({ name }) => name)],
  };
}

function isInteger({ type }: { readonly type: string }): boolean {
  return type === "integer";
}

/** The rows of the old table hold what the suite put there. */
function isPlain({ old }: Slot): boolean {
  return old !== undefined && old.source !== "generated";
}

function subset(names: readonly string[], maxLength = 2): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength });
}

function named(prefix: string): fc.Arbitrary<{ readonly name?: string }> {
  return fc.option(fc.constantFrom(`${prefix}_x`, `${prefix}_y`), { nil: undefined })
    .map((name) => name === undefined ? {} : { name });
}

function upTo<T>(count: number, one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.array(one, { maxLength: count });
}

function checks({ numbers, texts }: Known): fc.Arbitrary<Spec> {
  const expressions = [
    ...numbers.flatMap((name) => [`${name} > -5`, `${name} + ID IS NOT NULL OR ${name} IS NULL`]),
    ...texts.map((name) => `length(${name}) < 100`),
    "ID IN (ID, 1)",
    "true",
  ];
  return fc.tuple(named("k"), fc.constantFrom(...expressions)).map(([name, expression]) => ({ ...name, expression }));
}

function indexes({ distinct, numbers, texts, all }: Known): fc.Arbitrary<Spec> {
  const plain = fc.tuple(subset(distinct), fc.boolean()).map(([columns, unique]) => ({
    columns,
    ...(unique ? { unique } : {}),
  }));
  const partial = fc.constantFrom(...numbers).map((name) => ({ columns: [name], where: `${name} > 3` }));
  const hash = fc.constantFrom(...distinct).map((name) => ({ columns: [name], method: "hash" }));
  const including = fc.constantFrom(...all).map((name) => ({ columns: ["ID"], include: name === "ID" ? [] : [name] }));
  const computed = fc.constantFrom("abs(ID)", "ID % 3", ...texts.map((name) => `lower(${name})`))
    .map((expression) => ({ expressions: [expression] }));
  return fc.tuple(named("i"), fc.oneof(plain, plain, partial, hash, including, computed))
    .map(([name, index]) => ({ ...name, ...index }));
}

function foreignKeys({ references }: Known): fc.Arbitrary<Spec> {
  const customers = { schema: "app", table: "customers", columns: ["ID"] };
  return fc.tuple(
    named("f"),
    fc.constantFrom(...references),
    fc.constantFrom("NoAction", "Cascade", "SetNull"),
    fc.constantFrom("Never", "InitiallyDeferred"),
  ).map(([name, column, onDelete, deferrable]) => ({
    ...name,
    columns: [column],
    references: customers,
    onDelete: column === "ID" ? "NoAction" : onDelete,
    deferrable,
  }));
}

/** Keys, constraints and indexes of one side of a pair. */
export function parts(slots: readonly Slot[], at: "old" | "next"): fc.Arbitrary<Spec> {
  const known = knownOf(slots, at);
  const uniques = fc.tuple(named("u"), subset(known.distinct), fc.boolean())
    .map(([name, columns, nullsNotDistinct]) => ({
      ...name,
      columns,
      ...(nullsNotDistinct ? { nullsNotDistinct } : {}),
    }));
  return fc.record({
    primaryKey: fc.option(subset(known.distinct), { nil: undefined, freq: 6 }),
    uniqueConstraints: upTo(2, uniques),
    checks: upTo(2, checks(known)),
    indexes: upTo(3, indexes(known)),
    foreignKeys: upTo(1, foreignKeys(known)),
    comment: fc.option(fc.constant("a table"), { nil: undefined }),
  }).map((spec) => JSON.parse(JSON.stringify(spec)) as Spec);
}
