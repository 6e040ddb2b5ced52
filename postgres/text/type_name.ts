import { BUILT_IN_TYPES, PSEUDO_TYPES, SERIAL_TYPES } from "./built_in_type.ts";
import { excerpt, type Parsed, parsed, refused, unprintableIn } from "./fault.ts";
import { qualifiedName, quoteIdentifier, quoteLiteral } from "./identifier.ts";
import { ALL_FIELDS, intervalFields } from "./interval_fields.ts";

/** The type of a column, as data: nothing of what the user wrote but names, numbers and constants. */
export interface TypeName {
  /** Absent for PostgreSQL's own types, and for a name that somebody must still look up ({@linkcode isBuiltIn}). */
  readonly schema?: string;
  /** As in `pg_type`: `int4`, not `integer`. */
  readonly name: string;
  readonly typmods: readonly (number | string)[];
  /** PostgreSQL keeps neither the number nor the sizes of dimensions. */
  readonly isArray: boolean;
  /** The fields that an `interval` is cut to, such as `day to second`. */
  readonly intervalFields?: string;
}

/** A type as the grammar hands it over: names and modifiers are not judged yet. */
export interface RawTypeName {
  readonly names: readonly string[];
  readonly typmods: readonly (number | string)[];
  readonly isArray: boolean;
}

const MAXIMUM_PRECISION = 6;
const MAXIMUM_NUMERIC_PRECISION = 1000;

/** Whether it is one of PostgreSQL's own types, so that {@linkcode printType} needs no look-up. */
export function isBuiltIn(type: TypeName): boolean {
  return type.schema === undefined && BUILT_IN_TYPES.has(type.name);
}

/**
 * The type as SQL. For PostgreSQL's own types it is, letter for letter, what `format_type()` prints with only
 * `pg_catalog` on the search path; every other name is quoted.
 */
export function printType(type: TypeName): string {
  const builtIn = type.schema === undefined ? BUILT_IN_TYPES.get(type.name) : undefined;
  const base = builtIn === undefined ? printOther(type) : printBuiltIn(type, builtIn.display);
  return type.isArray ? `${base}[]` : base;
}

/** Turns what the grammar accepted into a type of a column, or says why no column can have it. */
export function typeNameOf(raw: RawTypeName): Parsed<TypeName> {
  const [first, second] = raw.names;
  if (first === undefined || raw.names.length > 2) {
    return refused("A type must be named by at most a schema and a name");
  }
  const unprintable = unprintableIn(raw.names.join(""));
  if (unprintable !== undefined) return refused(`The name of a type must not hold the character ${unprintable}`);
  if (second !== undefined && first !== "pg_catalog") {
    return parsed({ ...withoutNames(raw), schema: first, name: second });
  }
  return ownType(second ?? first, raw, second !== undefined);
}

function ownType(name: string, raw: RawTypeName, qualified: boolean): Parsed<TypeName> {
  // `_int4` is how pg_type calls `integer[]`.
  const element = name.slice(1);
  if (name.startsWith("_") && BUILT_IN_TYPES.has(element)) {
    return ownType(element, { ...raw, isArray: true }, qualified);
  }
  const integer = SERIAL_TYPES.get(name);
  if (integer !== undefined) {
    return refused(`${excerpt(name)} is no type but a macro for ${integer} with a sequence: write ${integer}`);
  }
  if (PSEUDO_TYPES.has(name)) return refused(`${excerpt(name)} is a pseudo-type, which no column can have`);
  const builtIn = BUILT_IN_TYPES.get(name);
  if (builtIn === undefined) {
    return qualified
      ? refused(`PostgreSQL has no type pg_catalog.${excerpt(name)}`)
      : parsed({ ...withoutNames(raw), name });
  }
  switch (builtIn.modifier.kind) {
    case "none":
      return raw.typmods.length === 0 ? parsed({ ...withoutNames(raw), name }) : refused(takesNothing(builtIn.display));
    case "length":
      return lengthType(name, raw, builtIn.modifier.maximum);
    case "numeric":
      return numericType(raw);
    case "precision":
      return precisionType(name, raw);
    case "interval":
      return intervalType(raw);
  }
}

function withoutNames(raw: RawTypeName): Omit<TypeName, "name"> {
  return { typmods: raw.typmods, isArray: raw.isArray };
}

function takesNothing(display: string): string {
  const instead = display === "text" ? "; for a length write varchar(n)" : "";
  return `The type ${display} takes nothing in parentheses: write ${display}${instead}`;
}

function lengthType(name: string, raw: RawTypeName, maximum: number): Parsed<TypeName> {
  if (raw.typmods.length === 0) return parsed({ ...withoutNames(raw), name });
  const display = BUILT_IN_TYPES.get(name)?.display ?? name;
  return raw.typmods.length === 1 && isWithin(raw.typmods[0], 1, maximum)
    ? parsed({ ...withoutNames(raw), name })
    : refused(`The length of ${display} must be one number from 1 to ${maximum}`);
}

function numericType(raw: RawTypeName): Parsed<TypeName> {
  if (raw.typmods.length === 0) return parsed({ ...withoutNames(raw), name: "numeric" });
  const [precision, scale = 0] = raw.typmods;
  const limit = MAXIMUM_NUMERIC_PRECISION;
  if (raw.typmods.length > 2 || !isWithin(precision, 1, limit) || !isWithin(scale, -limit, limit)) {
    return refused(`The type numeric takes a precision from 1 to ${limit} and a scale from -${limit} to ${limit}`);
  }
  return parsed({ name: "numeric", typmods: [precision, scale], isArray: raw.isArray });
}

function precisionType(name: string, raw: RawTypeName): Parsed<TypeName> {
  return raw.typmods.length === 0 || raw.typmods.length === 1 && isWithin(raw.typmods[0], 0, MAXIMUM_PRECISION)
    ? parsed({ ...withoutNames(raw), name })
    : refused(precisionFault(name));
}

function intervalType(raw: RawTypeName): Parsed<TypeName> {
  const [mask = ALL_FIELDS, precision] = raw.typmods;
  const fields = typeof mask === "number" ? intervalFields(mask) : undefined;
  if (raw.typmods.length > 2 || fields === undefined && mask !== ALL_FIELDS) {
    return refused("The type interval takes fields such as 'day to second' and a precision");
  }
  if (precision !== undefined && !isWithin(precision, 0, MAXIMUM_PRECISION)) return refused(precisionFault("interval"));
  const typmods = precision === undefined ? [] : [precision];
  const type = { name: "interval", typmods, isArray: raw.isArray };
  return parsed(fields === undefined ? type : { ...type, intervalFields: fields });
}

function precisionFault(name: string): string {
  return `The precision of ${name} must be one number from 0 to ${MAXIMUM_PRECISION}`;
}

function isWithin(value: number | string | undefined, minimum: number, maximum: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum;
}

function printBuiltIn(type: TypeName, display: string): string {
  const modifier = type.typmods.length === 0 ? "" : `(${type.typmods.join(",")})`;
  switch (type.name) {
    case "bpchar":
      return modifier === "" ? "bpchar" : `${display}${modifier}`;
    case "bit":
      return modifier === "" ? '"bit"' : `${display}${modifier}`;
    case "time":
    case "timetz":
    case "timestamp":
    case "timestamptz":
      return display.replace(" ", `${modifier} `);
    case "interval":
      return `${display}${type.intervalFields === undefined ? "" : ` ${type.intervalFields}`}${modifier}`;
    default:
      return `${display}${modifier}`;
  }
}

function printOther(type: TypeName): string {
  const name = type.schema === undefined ? quoteIdentifier(type.name) : qualifiedName(type.schema, type.name);
  if (type.typmods.length === 0) return name;
  const typmods = type.typmods.map((typmod) => typeof typmod === "number" ? String(typmod) : quoteLiteral(typmod));
  return `${name}(${typmods.join(",")})`;
}
