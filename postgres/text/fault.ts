/**
 * What becomes of text that a user wrote: a value, or one sentence (no full stop) that says what is wrong with it.
 * The caller adds where it stood.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string };

/** The value, as a {@linkcode Parsed}. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** The fault, as a {@linkcode Parsed}. */
export function refused(fault: string): { readonly ok: false; readonly fault: string } {
  return { ok: false, fault };
}

const EXCERPT_LENGTH = 64;

/**
 * Controls, line separators, marks that turn the direction of what a terminal shows, zero-width marks, and halves of a
 * surrogate pair.
 */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE.source, "gu");

/** The first character that no name and no message may hold, as `U+XXXX`. */
export function unprintableIn(text: string): string | undefined {
  const found = UNPRINTABLE.exec(text);
  return found === null ? undefined : codePoint(found[0]);
}

/** Text that a user wrote, quoted for a message: at most 64 characters of it, nothing in it that a terminal obeys. */
export function excerpt(text: string): string {
  const short = text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text;
  return `'${short.replace(ALL_UNPRINTABLE, (character) => `<${codePoint(character)}>`)}'`;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
