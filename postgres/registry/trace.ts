import type { CatalogColumn, CatalogConstraint, CatalogIndex } from "../catalog/relation.ts";
import type { Index } from "../table.ts";
import { expressionKey } from "./expression_key.ts";
import type { Declared } from "./declared.ts";

/** A part of a table with its expressions, by their place in it. */
export interface Part {
  /** Unique among all parts; of a column its number, else an oid. */
  readonly id: string;
  readonly name: string;
  /** In the order in which parts are made; oids begin again after 2^32. */
  readonly order: number;
  readonly texts: ReadonlyMap<string, string>;
  /** The key of the expression in that place. */
  readonly keyOf: (place: string) => string;
}

/** A part behind some statements, and what it was before them. */
export interface Traced {
  readonly now: Part;
  readonly before: Part | undefined;
  /** It has the name of the one before and was made anew: by ALTER TYPE, or because the name was free. */
  readonly isRemade: boolean;
  /** What was declared for a part that PostgreSQL named. */
  readonly declared?: ReadonlyMap<string, string>;
}

const OID_HALF = 2 ** 31;

/** A column with its default or what it is computed from. */
export function partOfColumn({ number, name, default: text, generated }: CatalogColumn): Part {
  return {
    id: `column ${number}`,
    name,
    order: number,
    texts: definedTexts([["default", text], ["generated", generated]]),
    keyOf: (place) => place === "default" ? expressionKey.default(name) : expressionKey.generated(name),
  };
}

/** A check; another constraint has no expressions. */
export function partOfCheck({ oid, name, expression }: CatalogConstraint): Part {
  return {
    id: `constraint ${oid}`,
    name,
    order: oid,
    texts: definedTexts([["", expression]]),
    keyOf: () => expressionKey.check(name),
  };
}

/** An index with the expressions among its keys, and its condition. */
export function partOfIndex({ oid, name, keys, where }: CatalogIndex): Part {
  return {
    id: `index ${oid}`,
    name,
    order: oid,
    texts: textsOfIndex({ keys, where }),
    keyOf: (place) => place === "where" ? expressionKey.indexWhere(name) : expressionKey.indexKey(name, Number(place)),
  };
}

/** By `1`, `2`, … and `where`. */
export function textsOfIndex(
  { keys, where }: { keys: Index["keys"]; where?: string | undefined },
): ReadonlyMap<string, string> {
  return definedTexts([...keys.map(({ expression }, index) => [String(index + 1), expression] as const), [
    "where",
    where,
  ]]);
}

function definedTexts(texts: readonly (readonly [string, string | undefined])[]): ReadonlyMap<string, string> {
  return new Map(texts.flatMap(([place, text]) => text === undefined ? [] : [[place, text] as const]));
}

/** Finds for every part what it was before: by what never changes, else by its name. Parts without expressions are left out. */
export function traceParts(
  before: readonly Part[] | undefined,
  after: readonly Part[],
  { dropped = [], renamed = {} }: Declared,
): readonly Traced[] {
  const left = (before ?? []).filter(({ name }) => !dropped.includes(name));
  return after.filter(({ texts }) => texts.size > 0).map((now) => {
    const same = before?.find(({ id }) => id === now.id);
    const namesake = left.find(({ name }) => (renamed[name] ?? name) === now.name);
    return { now, before: same ?? namesake, isRemade: same === undefined && namesake !== undefined };
  });
}

/**
 * Gives the parts that PostgreSQL named what was declared for them, in the order in which they were made. If the numbers
 * do not match nobody gets anything: a wrong pair would later drop the wrong part.
 */
export function settleParts(
  traced: readonly Traced[],
  declared: readonly ReadonlyMap<string, string>[],
  { named, dropped }: Declared,
): readonly Traced[] {
  const unnamed = traced.filter(({ now: { texts, keyOf } }) =>
    ![...texts.keys()].some((place) => named[keyOf(place)] !== undefined)
  );
  const made = unnamed.filter(({ before }) => before === undefined);
  if (made.length === declared.length) return give(traced, made, declared);
  if (dropped !== undefined) return traced;
  const doubtful = unnamed.filter(({ isRemade }) => isRemade);
  return made.length + doubtful.length === declared.length
    ? give(traced, [...made, ...doubtful], declared)
    : traced.map((part) => doubtful.includes(part) ? { ...part, before: undefined } : part);
}

function give(
  traced: readonly Traced[],
  takers: readonly Traced[],
  declared: readonly ReadonlyMap<string, string>[],
): readonly Traced[] {
  const sorted = takers.toSorted((a, b) => a.now.order - b.now.order);
  const gap = sorted.findIndex(({ now }, index) => now.order - (sorted[index - 1]?.now.order ?? now.order) > OID_HALF);
  const inOrder = gap < 0 ? sorted : [...sorted.slice(gap), ...sorted.slice(0, gap)];
  return traced.map((part) => {
    const texts = declared[inOrder.indexOf(part)];
    return texts === undefined ? part : { ...part, declared: texts };
  });
}
