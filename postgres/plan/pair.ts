/** A part of a table that may have a name: a constraint or an index. */
export interface Named {
  readonly name?: string;
}

/** Which desired part is which observed part. */
export interface Pairing<T extends Named> {
  readonly pairs: readonly { readonly desired: T; readonly observed: T }[];
  /** Wanted, and nothing of its structure is there. */
  readonly missing: readonly T[];
  /** There, and nothing of its structure is wanted. */
  readonly surplus: readonly T[];
}

/**
 * Pairs parts of equal structure: first those of the same name, then those whose name nobody chose, then those that only
 * need another name. A name with another structure behind it is surplus and missing: it is replaced.
 *
 * @param structureOf A text that is equal exactly for parts that do the same; the name is not in it.
 */
export function pairParts<T extends Named>(
  desired: readonly T[],
  observed: readonly T[],
  structureOf: (part: T) => string,
): Pairing<T> {
  const free = new Set(observed);
  const pairs = new Map<T, T>();
  const take = (isMatch: (wanted: T, found: T) => boolean) => {
    for (const wanted of desired) {
      if (pairs.has(wanted)) continue;
      const found = [...free].find((each) => structureOf(each) === structureOf(wanted) && isMatch(wanted, each));
      if (found === undefined) continue;
      pairs.set(wanted, found);
      free.delete(found);
    }
  };
  const names = new Set(desired.flatMap((part) => part.name ?? []));
  const isWanted = ({ name }: T) => name !== undefined && names.has(name);
  take((wanted, found) => wanted.name !== undefined && wanted.name === found.name);
  take((wanted, found) => wanted.name === undefined && !isWanted(found));
  take((_wanted, found) => !isWanted(found));
  return {
    pairs: desired.flatMap((wanted) => {
      const found = pairs.get(wanted);
      return found === undefined ? [] : [{ desired: wanted, observed: found }];
    }),
    missing: desired.filter((wanted) => !pairs.has(wanted)),
    surplus: [...free],
  };
}
