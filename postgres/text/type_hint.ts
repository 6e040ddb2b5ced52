import { BUILT_IN_TYPES, FOREIGN_TYPES, TYPE_ALIASES } from "./built_in_type.ts";
import { excerpt } from "./fault.ts";
import { nearestName } from "./nearest_name.ts";

const FORMS_OF_A_COLUMN = /\b(not\s+null|null|default|primary\s+key|unique|references|check|generated|collate)\b/i;

/**
 * The valid name that somebody who wrote `interger` or `varchar2` means; `undefined` if none is near.
 *
 * @param name Folded, without modifiers.
 */
export function nearestTypeName(name: string): string | undefined {
  const foreign = FOREIGN_TYPES.get(name);
  if (foreign !== undefined) return foreign;
  return nearestName(name, [...TYPE_ALIASES.keys(), ...BUILT_IN_TYPES.keys()]);
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
