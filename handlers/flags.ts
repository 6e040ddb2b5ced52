/** What a library made of the command line, not yet checked. */
export type Parsed = Readonly<Record<string, unknown>>;

/** A fault of the command line: one line that names the flag. */
export class UsageError extends Error {}

/** A key that is left out when its value is `undefined`, as `exactOptionalPropertyTypes` wants it. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { readonly [P in K]?: V };
}

/** The value of a flag that needs one. */
export function text(parsed: Parsed, flag: string): string | undefined {
  const value = parsed[flag];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") throw new UsageError(`--${flag} needs a value`);
  return value;
}

/** A whole number from 1 on. */
export function readNumber(parsed: Parsed, flag: string, range: { fallback: number; max: number }): number {
  const value = text(parsed, flag);
  if (value === undefined) return range.fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= range.max) return number;
  throw new UsageError(`--${flag} must be a whole number from 1 to ${range.max}: current value is "${value}"`);
}

/** One of some words. */
export function readEnum<T extends string>(parsed: Parsed, flag: string, members: readonly T[]): T | undefined {
  const value = text(parsed, flag);
  if (value === undefined) return undefined;
  const member = members.find((each) => each === value);
  if (member === undefined) {
    throw new UsageError(`--${flag} must be one of ${members.join(", ")}: current value is "${value}"`);
  }
  return member;
}
