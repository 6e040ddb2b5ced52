import { type Parsed, parsed, refused } from "./fault.ts";
import { quoteLiteral } from "./identifier.ts";
import type { TypeName } from "./type_name.ts";

const MAXIMUM_DEFAULT_LENGTH = 4096;
const INTEGER_RANGES: ReadonlyMap<string, readonly [minimum: number, maximum: number]> = new Map([
  ["int2", [-32_768, 32_767]],
  ["int4", [-2_147_483_648, 2_147_483_647]],
  ["int8", [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
]);
const NUMBER_TYPES: ReadonlySet<string> = new Set(["int2", "int4", "int8", "numeric", "float4", "float8"]);
/** Types in whose input `now` and its like are not text but the moment at which the DDL runs, kept for ever. */
const TIME_TYPES: ReadonlySet<string> = new Set(
  ("date time timetz timestamp timestamptz tsrange tstzrange daterange tsmultirange tstzmultirange datemultirange")
    .split(" "),
);
/** Types that never read a boolean. */
const NEVER_BOOLEAN: ReadonlySet<string> = new Set([...NUMBER_TYPES, ...TIME_TYPES, "interval", "uuid", "money"]);
const MOMENT = /(?:^|[^a-z])(now|today|tomorrow|yesterday)(?:[^a-z]|$)/i;

/**
 * SQL of a default that a user wrote as a plain value, such that `DEFAULT <sql>` can be read in one way only;
 * `undefined` for null, which is no default.
 *
 * @param value A string, a boolean, null, or an integer within ±2^53: other numbers are not kept exactly by JSON.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const text = { name: "text", typmods: [], isArray: false };
 * assertEquals(parseDefault(5, text), { ok: true, value: "'5'" });
 * ```
 */
export function parseDefault(value: unknown, type: TypeName): Parsed<string | undefined> {
  switch (typeof value) {
    case "undefined":
      return parsed(undefined);
    case "string":
      return textDefault(value, type);
    case "boolean":
      return booleanDefault(value, type);
    case "number":
      return integerDefault(value, type);
    default:
      return value === null ? parsed(undefined) : refused(
        "A default must be a string, a boolean, null or an integer; for JSON or an array write it as a string",
      );
  }
}

/** `now` or its like if the type would read that from the text, once, when the text is stored. */
export function frozenMoment(text: string, type: TypeName): string | undefined {
  return isOwn(type, TIME_TYPES) ? MOMENT.exec(text)?.[1]?.toLowerCase() : undefined;
}

function textDefault(text: string, type: TypeName): Parsed<string> {
  if (text.length > MAXIMUM_DEFAULT_LENGTH) {
    return refused(`A default must be at most ${MAXIMUM_DEFAULT_LENGTH} characters: it has ${text.length}`);
  }
  if (text.includes("\0")) return refused("A default must not hold a NUL character");
  if (!text.isWellFormed()) return refused("A default must not hold half of a surrogate pair");
  const moment = frozenMoment(text, type);
  if (moment !== undefined) {
    return refused(
      `The default '${moment}' would be fixed when the column is made, not for each row: ` +
        "it must be a date or time",
    );
  }
  return parsed(quoteLiteral(text));
}

function booleanDefault(value: boolean, type: TypeName): Parsed<string> {
  if (type.isArray || isOwn(type, NEVER_BOOLEAN)) return refused(misfit(`${value}`, type));
  return parsed(isOwn(type, BOOLEAN) ? `${value}` : `'${value}'`);
}

const BOOLEAN: ReadonlySet<string> = new Set(["bool"]);

function integerDefault(value: number, type: TypeName): Parsed<string> {
  if (!Number.isSafeInteger(value)) {
    return refused("A default that is a number must be an integer within ±2^53: quote it, so that no digit is lost");
  }
  if (type.isArray || isOwn(type, BOOLEAN)) return refused(misfit(String(value), type));
  const range = type.schema === undefined ? INTEGER_RANGES.get(type.name) : undefined;
  if (range !== undefined && (value < range[0] || value > range[1])) {
    return refused(`The default ${value} must be from ${range[0]} to ${range[1]}, as its type is`);
  }
  // A minus would be an operator before the constant: PostgreSQL stores another tree for it.
  return parsed(value >= 0 && isOwn(type, NUMBER_TYPES) ? String(value) : `'${value}'`);
}

function misfit(value: string, type: TypeName): string {
  if (type.isArray) return `The default ${value} must be an array such as '{}', written as a string`;
  return isOwn(type, BOOLEAN)
    ? `The default ${value} must be true or false`
    : `The default ${value} must be a value of the column's type, not a boolean`;
}

function isOwn(type: TypeName, names: ReadonlySet<string>): boolean {
  return type.schema === undefined && names.has(type.name);
}
