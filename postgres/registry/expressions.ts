import type { Declared } from "./declared.ts";
import type { Relation } from "../catalog/relation.ts";
import { partOfCheck, partOfColumn, partOfIndex, settleParts, textsOfIndex, traceParts } from "./trace.ts";

export { expressionKey } from "./expression_key.ts";

/**
 * What was declared, and what PostgreSQL made of it, by {@linkcode expressionKey}. Nothing declared: somebody else made it,
 * and the stored text speaks. Nothing stored: whatever will be read first is what PostgreSQL made of it.
 */
export type Expressions = Readonly<Record<string, readonly [declared: string | null, stored: string | null]>>;

export const NOTHING_DECLARED: Declared = { named: {}, newChecks: [], newIndexes: [] };

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
 * import { emptyRelation } from "../catalog/relation.ts";
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
  const columns = traceParts(before?.columns.map(partOfColumn), after.columns.map(partOfColumn), declared);
  const constraints = traceParts(before?.constraints.map(partOfCheck), after.constraints.map(partOfCheck), declared);
  const indexes = traceParts(before?.indexes.map(partOfIndex), after.indexes.map(partOfIndex), declared);
  const parts = [
    ...columns,
    ...settleParts(constraints, declared.newChecks.map((text) => new Map([["", text]])), declared),
    ...settleParts(indexes, declared.newIndexes.map(textsOfIndex).filter((texts) => texts.size > 0), declared),
  ];
  return Object.fromEntries(
    parts.flatMap(({ now, before: was, declared: texts }) =>
      [...now.texts].map(([place, stored]) => {
        const key = now.keyOf(place);
        const old = was === undefined ? undefined : { key: was.keyOf(place), stored: was.texts.get(place) };
        const text = declared.named[key] ?? texts?.get(place) ?? kept(known, { key, stored }, old);
        return [key, [text ?? null, stored]];
      })
    ),
  );
}

/** What was declared for a text that is stored now, as far as the registry knows. */
export function declaredText(known: Expressions | undefined, key: string, stored: string): string | undefined {
  const [declared, recorded] = known?.[key] ?? [null, null];
  return declared !== null && (recorded === null || recorded === stored) ? declared : undefined;
}

interface Place {
  readonly key: string;
  readonly stored: string | undefined;
}

function kept(known: Expressions, now: Place, was: Place | undefined): string | undefined {
  if (was?.stored !== undefined) return declaredText(known, was.key, was.stored);
  // New, and announced: see `addMember()`.
  return known[now.key]?.[1] === null ? declaredText(known, now.key, now.stored ?? "") : undefined;
}
