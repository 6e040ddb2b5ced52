import type { CatalogConstraint, CatalogIndex, Relation } from "../relation.ts";
import type { Index } from "../table.ts";

/**
 * What was declared, and what PostgreSQL made of it, by {@linkcode expressionKey}. Nothing declared: somebody else made it,
 * and the stored text speaks. Nothing stored: whatever will be read first is what PostgreSQL made of it.
 */
export type Expressions = Readonly<Record<string, readonly [declared: string | null, stored: string | null]>>;

/** SQL as we sent it in the statements between two observations. */
export interface Declared {
  /** By {@linkcode expressionKey}; the texts of what kept its text may be left out, also if it has another name now. */
  readonly named: Readonly<Record<string, string>>;
  /** The checks that PostgreSQL gave a name, in the order in which they were made. */
  readonly newChecks: readonly string[];
  /** The indexes that PostgreSQL gave a name, in the order in which they were made. */
  readonly newIndexes: readonly Index[];
}

export const NOTHING_DECLARED: Declared = { named: {}, newChecks: [], newIndexes: [] };

/** Where expressions stand. */
export const expressionKey = {
  /** Of a column. */
  default: (column: string): string => `default/${column}`,
  /** Of a generated column. */
  generated: (column: string): string => `generated/${column}`,
  check: (name: string): string => `check/${name}`,
  /** @param position Among all keys of the index, from 1. */
  indexKey: (index: string, position: number): string => `index/${index}/${position}`,
  indexWhere: (index: string): string => `index/${index}/where`,
} as const;

interface Stored {
  readonly key: string;
  /** Stays when the part is renamed. */
  readonly identity: string;
  readonly text: string;
}

/**
 * The expressions of a table behind our statements: every stored text as it is read now (a DDL can change the text of
 * any), each with what was declared for it. A text that somebody changed by hand before loses what was declared: it is no
 * longer what we made.
 *
 * @param known As the registry has them.
 *
 * @example A default keeps the text that was declared
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { emptyRelation } from "../relation.ts";
 * const column = { number: 1, name: "a", type: "text", notNull: false, notNullValidated: true, default: "'x'::text" };
 * const after = { ...emptyRelation("public", "t"), columns: [column] };
 * const declared = { named: { "default/a": "'x'" }, newChecks: [], newIndexes: [] };
 * assertEquals(nextExpressions({}, { before: undefined, after, declared }), { "default/a": ["'x'", "'x'::text"] });
 * ```
 */
export function nextExpressions(
  known: Expressions,
  step: { readonly before: Relation | undefined; readonly after: Relation; readonly declared: Declared },
): Expressions {
  const { before, after, declared } = step;
  const was = new Map((before === undefined ? [] : storedOf(before)).map((stored) => [stored.identity, stored]));
  const unnamed = new Map([...pairChecks(step), ...pairIndexes(step)]);
  return Object.fromEntries(
    storedOf(after).map((stored) => {
      const text = declared.named[stored.key] ?? unnamed.get(stored.key) ??
        kept(known, stored, was.get(stored.identity));
      return [stored.key, [text ?? null, stored.text]];
    }),
  );
}

/** What was declared for a text that is stored now, as far as the registry knows. */
export function declaredText(known: Expressions | undefined, key: string, stored: string): string | undefined {
  const [declared, recorded] = known?.[key] ?? [null, null];
  return declared !== null && (recorded === null || recorded === stored) ? declared : undefined;
}

function kept(known: Expressions, now: Stored, before: Stored | undefined): string | undefined {
  if (before !== undefined) return declaredText(known, before.key, before.text);
  // New, and announced: see `addMember()`.
  return known[now.key]?.[1] === null ? declaredText(known, now.key, now.text) : undefined;
}

function storedOf(relation: Relation): readonly Stored[] {
  return [
    ...relation.columns.flatMap(({ name, number, default: text, generated }) => [
      ...storedText(expressionKey.default(name), `default ${number}`, text),
      ...storedText(expressionKey.generated(name), `generated ${number}`, generated),
    ]),
    ...relation.constraints.flatMap(({ name, oid, expression }) =>
      storedText(expressionKey.check(name), `constraint ${oid}`, expression)
    ),
    ...relation.indexes.flatMap(storedOfIndex),
  ];
}

function storedOfIndex({ name, oid, keys, where }: CatalogIndex): readonly Stored[] {
  return [
    ...keys.flatMap(({ expression }, index) =>
      storedText(expressionKey.indexKey(name, index + 1), `index ${oid} ${index}`, expression)
    ),
    ...storedText(expressionKey.indexWhere(name), `index ${oid} where`, where),
  ];
}

function storedText(key: string, identity: string, text: string | undefined): readonly Stored[] {
  return text === undefined ? [] : [{ key, identity, text }];
}

type Step = Parameters<typeof nextExpressions>[1];

function pairChecks({ before, after, declared }: Step): readonly [key: string, text: string][] {
  const made = newParts<CatalogConstraint>(before?.constraints, after.constraints)
    .filter(({ kind, name }) => kind === "check" && declared.named[expressionKey.check(name)] === undefined);
  return pair(made, declared.newChecks).map(([{ name }, text]) => [expressionKey.check(name), text]);
}

/** A plain index has nothing to pair, whoever named it. */
function pairIndexes({ before, after, declared }: Step): readonly [key: string, text: string][] {
  const named = Object.keys(declared.named);
  const made = newParts<CatalogIndex>(before?.indexes, after.indexes)
    .filter((index) => hasExpression(index) && !named.some((key) => key.startsWith(`index/${index.name}/`)));
  return pair(made, declared.newIndexes.filter(hasExpression)).flatMap(([{ name }, { keys, where }]) => [
    ...keys.flatMap(({ expression }, index) =>
      expression === undefined ? [] : [[expressionKey.indexKey(name, index + 1), expression] as [string, string]]
    ),
    ...(where === undefined ? [] : [[expressionKey.indexWhere(name), where] as [string, string]]),
  ]);
}

function hasExpression({ keys, where }: Pick<Index, "keys" | "where">): boolean {
  return where !== undefined || keys.some(({ expression }) => expression !== undefined);
}

/** In the order in which they were made: oids are given one after the other, and only a rare wrap begins again. */
function newParts<T extends { readonly oid: number }>(
  before: readonly T[] | undefined,
  after: readonly T[],
): readonly T[] {
  const made = after.filter(({ oid }) => !before?.some((each) => each.oid === oid)).sort((a, b) => a.oid - b.oid);
  const gap = made.findIndex(({ oid }, index) => oid - (made[index - 1]?.oid ?? oid) > OID_HALF);
  return gap < 0 ? made : [...made.slice(gap), ...made.slice(0, gap)];
}

const OID_HALF = 2 ** 31;

/** By position; nothing if the numbers differ: then somebody else made one, and a wrong pair would drop the wrong part. */
function pair<A, B>(made: readonly A[], texts: readonly B[]): readonly (readonly [A, B])[] {
  if (made.length !== texts.length) return [];
  return made.flatMap((part, index) => texts.slice(index, index + 1).map((text) => [part, text] as const));
}
