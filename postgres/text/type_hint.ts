import { BUILT_IN_TYPES, FOREIGN_TYPES, TYPE_ALIASES } from "./built_in_type.ts";
import { excerpt } from "./fault.ts";

const MAXIMUM_DISTANCE = 2;
const LONGEST_NAME = 32;
const FORMS_OF_A_COLUMN = /\b(not\s+null|null|default|primary\s+key|unique|references|check|generated|collate)\b/i;

/**
 * The valid name that somebody who wrote `interger` or `varchar2` means; `undefined` if none is near.
 *
 * @param name Folded, without modifiers.
 */
export function nearestTypeName(name: string): string | undefined {
  const foreign = FOREIGN_TYPES.get(name);
  if (foreign !== undefined || name.length < 3 || name.length > LONGEST_NAME) return foreign;
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of [...TYPE_ALIASES.keys(), ...BUILT_IN_TYPES.keys()]) {
    const found = distance(name, candidate);
    if (found < (nearest?.distance ?? MAXIMUM_DISTANCE + 1)) nearest = { name: candidate, distance: found };
  }
  // Two letters of three are another word.
  return nearest !== undefined && nearest.distance * 2 < name.length ? nearest.name : undefined;
}

/** The fault of a type that the database does not have, with the nearest valid name. */
export function unknownTypeFault(name: string): string {
  const nearest = nearestTypeName(name);
  return `There is no type ${excerpt(name)}` + (nearest === undefined ? "" : `: did you mean ${nearest}?`);
}

/** What to write instead of a text that is no type. */
export function typeHint(text: string): string {
  const lower = text.toLowerCase();
  if (FORMS_OF_A_COLUMN.test(lower)) {
    return ": it must be a type alone; NOT NULL, defaults and constraints have fields of their own (the long form)";
  }
  const [, name = ""] = /^\s*([a-z][a-z0-9_ ]*?)\s*\(/.exec(lower) ?? [];
  const builtIn = BUILT_IN_TYPES.get(TYPE_ALIASES.get(name) ?? name);
  if (builtIn?.modifier.kind === "none") return `: ${builtIn.display} takes nothing in parentheses`;
  if (/with(out)?\s+time\s+zone\s*\(/.test(lower)) return ": write the precision first, timestamp(3) with time zone";
  return "";
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
