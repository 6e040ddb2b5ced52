/** How a change of a column's type treats the values that are there. */
export type TypeChangeKind =
  /** Every value that the old type could hold has the same value in the new one. */
  | "WidenType"
  /** The same kind of value, but not every one fits. */
  | "NarrowType"
  /** Another kind of value. */
  | "ChangeType";

/** What PostgreSQL does to the table; measured on 15 and 18. */
export type TypeChangeCost = "None" | "RebuildsIndexes" | "Rewrites";

export interface TypeChange {
  readonly kind: TypeChangeKind;
  readonly cost: TypeChangeCost;
}

interface ParsedType {
  readonly base: string;
  readonly modifiers: readonly number[];
  readonly isArray: boolean;
}

/** Integer types from narrow to wide, then the types that hold all of them exactly. */
const INTEGERS = ["smallint", "integer", "bigint"];
const FLOATS = ["real", "double precision"];
/** Digits that an integer type needs in a `numeric`. */
const INTEGER_DIGITS: Readonly<Record<string, number>> = { smallint: 5, integer: 10, bigint: 19 };

/**
 * Tells what a change between two types, as `printType()` writes them, means for the values and for the table.
 *
 * Pure. What is not known to be cheap is said to rewrite: a forecast may be too dark, never too bright.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(classifyTypeChange("character varying(50)", "text"), { kind: "WidenType", cost: "None" });
 * assertEquals(classifyTypeChange("integer", "bigint"), { kind: "WidenType", cost: "Rewrites" });
 * ```
 */
export function classifyTypeChange(from: string, to: string): TypeChange {
  const before = parseTypeText(from);
  const after = parseTypeText(to);
  if (before.isArray !== after.isArray) return { kind: "ChangeType", cost: "Rewrites" };
  const change = classifyElement(before, after);
  // An array of a type that only grows is still rewritten: PostgreSQL converts each element.
  return before.isArray ? { ...change, cost: "Rewrites" } : change;
}

function classifyElement(before: ParsedType, after: ParsedType): TypeChange {
  return classifyText(before, after) ?? classifyNumber(before, after) ?? classifyTime(before, after) ??
    classifyBits(before, after) ?? classifyRest(before, after);
}

function classifyText(before: ParsedType, after: ParsedType): TypeChange | undefined {
  const variable = ["character varying", "text"];
  if (variable.includes(before.base) && variable.includes(after.base)) {
    const grows = lengthOf(after) >= lengthOf(before);
    return grows ? { kind: "WidenType", cost: "None" } : { kind: "NarrowType", cost: "Rewrites" };
  }
  if (before.base === "character" && after.base === "character") {
    return { kind: lengthOf(after) >= lengthOf(before) ? "WidenType" : "NarrowType", cost: "Rewrites" };
  }
  return undefined;
}

function classifyNumber(before: ParsedType, after: ParsedType): TypeChange | undefined {
  for (const family of [INTEGERS, FLOATS]) {
    const [old, next] = [family.indexOf(before.base), family.indexOf(after.base)];
    if (old >= 0 && next >= 0) return { kind: next > old ? "WidenType" : "NarrowType", cost: "Rewrites" };
  }
  const digits = INTEGER_DIGITS[before.base];
  if (digits !== undefined && after.base === "numeric") {
    return { kind: integralDigits(after) >= digits ? "WidenType" : "NarrowType", cost: "Rewrites" };
  }
  if (before.base === "numeric" && INTEGERS.includes(after.base)) return { kind: "NarrowType", cost: "Rewrites" };
  if (before.base !== "numeric" || after.base !== "numeric") return undefined;
  const widens = integralDigits(after) >= integralDigits(before) && scaleOf(after) >= scaleOf(before);
  const keepsScale = after.modifiers.length === 0 || scaleOf(after) === scaleOf(before);
  return { kind: widens ? "WidenType" : "NarrowType", cost: widens && keepsScale ? "None" : "Rewrites" };
}

function classifyTime(before: ParsedType, after: ParsedType): TypeChange | undefined {
  const stamps = ["timestamp without time zone", "timestamp with time zone"];
  const times = [...stamps, "time without time zone", "time with time zone"];
  if (!times.includes(before.base) || !times.includes(after.base)) return undefined;
  if (before.base === after.base) {
    const grows = precisionOf(after) >= precisionOf(before);
    return grows ? { kind: "WidenType", cost: "None" } : { kind: "NarrowType", cost: "Rewrites" };
  }
  // Our transactions pin TimeZone to UTC: only there the two kinds of timestamp have the same bytes.
  const isStamp = stamps.includes(before.base) && stamps.includes(after.base);
  const grows = precisionOf(after) >= precisionOf(before);
  return { kind: "ChangeType", cost: isStamp && grows ? "RebuildsIndexes" : "Rewrites" };
}

function classifyBits(before: ParsedType, after: ParsedType): TypeChange | undefined {
  if (after.base !== "bit varying" || !["bit", "bit varying"].includes(before.base)) return undefined;
  const grows = lengthOf(after) >= lengthOf(before);
  if (!grows) return { kind: "NarrowType", cost: "Rewrites" };
  if (before.base === "bit varying") return { kind: "WidenType", cost: "None" };
  // A length is enforced by a function, also where every value fits.
  return { kind: "WidenType", cost: after.modifiers.length === 0 ? "RebuildsIndexes" : "Rewrites" };
}

function classifyRest(before: ParsedType, after: ParsedType): TypeChange {
  if (before.base === "cidr" && after.base === "inet") return { kind: "WidenType", cost: "None" };
  if (before.base === "inet" && after.base === "cidr") return { kind: "NarrowType", cost: "Rewrites" };
  return { kind: "ChangeType", cost: "Rewrites" };
}

/** `timestamp(3) without time zone` -> base `timestamp without time zone`, modifiers [3]. */
function parseTypeText(text: string): ParsedType {
  const isArray = text.endsWith("[]");
  const element = isArray ? text.slice(0, -2) : text;
  // A quoted name may hold anything; its type is compared as a whole.
  if (element.includes('"')) return { base: element, modifiers: [], isArray };
  const match = /^([^(]*?)\s*\(([-\d,\s]+)\)(.*)$/.exec(element);
  if (match === null) return { base: element, modifiers: [], isArray };
  const [, head = "", modifiers = "", tail = ""] = match;
  return { base: `${head}${tail}`, modifiers: modifiers.split(",").map(Number), isArray };
}

function lengthOf(type: ParsedType): number {
  return type.modifiers[0] ?? (type.base === "character" || type.base === "bit" ? 1 : Infinity);
}

function precisionOf(type: ParsedType): number {
  return type.modifiers[0] ?? 6;
}

function scaleOf(type: ParsedType): number {
  return type.modifiers.length === 0 ? Infinity : type.modifiers[1] ?? 0;
}

function integralDigits(type: ParsedType): number {
  return type.modifiers.length === 0 ? Infinity : (type.modifiers[0] ?? 0) - (type.modifiers[1] ?? 0);
}
