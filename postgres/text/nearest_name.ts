const MAXIMUM_DISTANCE = 2;
const SHORTEST_NAME = 3;
const LONGEST_NAME = 63;

/** The candidate that somebody who wrote `name` may have meant; `undefined` if none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length < SHORTEST_NAME || name.length > LONGEST_NAME) return undefined;
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const found = distance(name, candidate);
    if (found < (nearest?.distance ?? MAXIMUM_DISTANCE + 1)) nearest = { name: candidate, distance: found };
  }
  // Two letters of three are another word.
  return nearest !== undefined && nearest.distance * 2 < name.length ? nearest.name : undefined;
}

/** `: did you mean x?`, or nothing. */
export function didYouMean(name: string | undefined): string {
  return name === undefined ? "" : `: did you mean ${name}?`;
}

/** Levenshtein's distance. */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > MAXIMUM_DISTANCE) return MAXIMUM_DISTANCE + 1;
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
