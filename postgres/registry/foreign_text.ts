import type { Relation } from "../catalog/relation.ts";
import type { Expressions } from "./expressions.ts";
import { type Part, partOfCheck, partOfColumn, partOfIndex } from "./trace.ts";

/**
 * Texts that a restored dump or a major upgrade brought with it. PostgreSQL prints what it stores, a dump is that print, and
 * what is read from it may be printed otherwise: `(v)::text = ANY ((ARRAY['a'::character varying])::text[])` comes back as
 * `(v)::text = ANY (ARRAY[('a'::character varying)::text])`. Only the server itself can tell that both are the same.
 */

/** A part of a table with a text that is not the recorded one. */
export interface ForeignPart {
  readonly part: Part;
  readonly kind: "column" | "check" | "index";
  /** By place, what may have become the stored texts: what was recorded, then what was declared. */
  readonly origins: readonly ReadonlyMap<string, string>[];
}

/** The parts of which the registry knows what was declared, and whose stored text is another one than it recorded. */
export function foreignParts(known: Expressions, relation: Relation): readonly ForeignPart[] {
  const parts = [
    ...relation.columns.map((column) => ({ kind: "column" as const, part: partOfColumn(column) })),
    ...relation.constraints.map((constraint) => ({ kind: "check" as const, part: partOfCheck(constraint) })),
    ...relation.indexes.map((index) => ({ kind: "index" as const, part: partOfIndex(index) })),
  ];
  return parts.flatMap(({ kind, part }): ForeignPart[] => {
    const entries = [...part.texts].map(([place, stored]) => ({ place, stored, entry: known[part.keyOf(place)] }));
    const isForeign = entries.some(({ stored, entry }) => isDeclared(entry) && entry[1] !== stored);
    if (!isForeign || !entries.every(({ entry }) => isDeclared(entry))) return [];
    const origins = [1, 0].map((half) => new Map(entries.map(({ place, entry }) => [place, entry?.[half] ?? ""])));
    return [{ kind, part, origins }];
  });
}

/** The expressions as they are recorded in the new epoch, for the parts whose stored texts mean what they meant. */
export function adoptTexts(known: Expressions, same: readonly Part[]): Expressions {
  const adopted = same.flatMap((part) =>
    [...part.texts].map(([place, stored]) => {
      const key = part.keyOf(place);
      return [key, [known[key]?.[0] ?? null, stored] as const] as const;
    })
  );
  return { ...known, ...Object.fromEntries(adopted) };
}

/**
 * The expressions while nobody has compared the stored texts in this epoch: what was declared stands for whatever is read, for
 * every other guess would be drift that nobody made.
 */
export function withoutStored(known: Expressions): Expressions {
  return Object.fromEntries(Object.entries(known).map(([key, [declared]]) => [key, [declared, null] as const]));
}

function isDeclared(entry: Expressions[string] | undefined): entry is readonly [string, string] {
  return entry !== undefined && entry[0] !== null && entry[1] !== null;
}
