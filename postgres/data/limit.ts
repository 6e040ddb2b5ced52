/** What values of an old type must keep to, so that the assignment cast to a narrower type takes them all. */
export type ValueLimit =
  /** Spaces beyond the maximum are cut without an error, as SQL wants it. */
  | { readonly kind: "characters"; readonly maximum: number }
  | { readonly kind: "bits"; readonly maximum: number }
  | { readonly kind: "exactBits"; readonly length: number }
  | {
    readonly kind: "integer";
    /** Bounds as SQL. */
    readonly minimum: string;
    readonly maximum: string;
    /** A `numeric` is rounded first, and may be no number. */
    readonly from: "integer" | "numeric";
    readonly type: string;
  }
  | {
    readonly kind: "numeric";
    readonly precision: number;
    readonly scale: number;
    readonly from: "integer" | "numeric";
    readonly type: string;
  }
  | { readonly kind: "real" };

interface PlainType {
  readonly base: string;
  readonly modifiers: readonly number[];
}

const TEXTS = ["text", "character varying", "character", "bpchar"];
const BITS = ["bit", "bit varying", '"bit"'];
const INTEGERS: ReadonlyMap<string, { readonly digits: number; readonly minimum: string; readonly maximum: string }> =
  new Map([
    ["smallint", { digits: 5, minimum: "-32768", maximum: "32767" }],
    ["integer", { digits: 10, minimum: "-2147483648", maximum: "2147483647" }],
    ["bigint", { digits: 19, minimum: "-9223372036854775808", maximum: "9223372036854775807" }],
  ]);

/**
 * The limit that a change of type puts on the values, `undefined` if there is none or none that a comparison in the old type
 * could tell. Types as `printType()` writes them; arrays have no limit here.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(narrowingOf("text", "character varying(50)"), { kind: "characters", maximum: 50 });
 * assertEquals(narrowingOf("integer", "bigint"), undefined);
 * ```
 */
export function narrowingOf(from: string, to: string): ValueLimit | undefined {
  const before = plainType(from);
  const after = plainType(to);
  if (before === undefined || after === undefined) return undefined;
  if (TEXTS.includes(before.base) && TEXTS.includes(after.base)) return characterLimit(before, after);
  if (BITS.includes(before.base) && BITS.includes(after.base)) return bitLimit(before, after);
  if (before.base === "double precision" && after.base === "real") return { kind: "real" };
  return integerLimit(before, after) ?? numericLimit(before, after, to);
}

function characterLimit(before: PlainType, after: PlainType): ValueLimit | undefined {
  const maximum = lengthOf(after);
  return lengthOf(before) <= maximum ? undefined : { kind: "characters", maximum };
}

function bitLimit(before: PlainType, after: PlainType): ValueLimit | undefined {
  const length = lengthOf(after);
  if (after.base === "bit") {
    return before.base === "bit" && lengthOf(before) === length ? undefined : { kind: "exactBits", length };
  }
  return lengthOf(before) <= length ? undefined : { kind: "bits", maximum: length };
}

function integerLimit(before: PlainType, after: PlainType): ValueLimit | undefined {
  const target = INTEGERS.get(after.base);
  if (target === undefined) return undefined;
  const { minimum, maximum } = target;
  const limit = { kind: "integer", minimum, maximum, type: after.base } as const;
  if (before.base === "numeric") return { ...limit, from: "numeric" };
  const digits = INTEGERS.get(before.base)?.digits;
  return digits === undefined || digits <= target.digits ? undefined : { ...limit, from: "integer" };
}

function numericLimit(before: PlainType, after: PlainType, type: string): ValueLimit | undefined {
  const [precision, scale = 0] = after.modifiers;
  if (after.base !== "numeric" || precision === undefined) return undefined;
  const limit = { kind: "numeric", precision, scale, type } as const;
  const digits = INTEGERS.get(before.base)?.digits;
  if (digits !== undefined) return precision - scale >= digits ? undefined : { ...limit, from: "integer" };
  if (before.base !== "numeric") return undefined;
  const [oldPrecision = Infinity, oldScale = 0] = before.modifiers;
  // Fewer digits behind the point round 9.99 up to 10: only with as many the same digits before it are enough.
  const fits = precision - scale >= oldPrecision - oldScale && scale >= oldScale;
  return fits ? undefined : { ...limit, from: "numeric" };
}

function lengthOf(type: PlainType): number {
  return type.modifiers[0] ?? (type.base === "character" || type.base === "bit" ? 1 : Infinity);
}

/** `undefined` for arrays, for types of the user, and for what has words behind its modifiers. */
function plainType(type: string): PlainType | undefined {
  const match = /^("bit"|[a-z ]+)(?:\((-?\d+)(?:,(-?\d+))?\))?$/.exec(type);
  if (match === null) return undefined;
  const [, base = "", ...modifiers] = match;
  return { base, modifiers: modifiers.filter((modifier) => modifier !== undefined).map(Number) };
}
