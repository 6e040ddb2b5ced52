import { FieldReader, isObject } from "../decode_fields.ts";
import { describeValue, type FieldError, invalid, required, typeInvalid } from "../field_error.ts";
import { type ColumnSpec, type DatabaseTableSpec, DELETION_POLICIES, type LiteralDefault } from "./types.ts";

const SPEC_FIELDS = ["tableName", "schema", "columns", "primaryKey", "deletionPolicy"];
const COLUMN_FIELDS = ["type", "notNull", "default"];

/**
 * A spec as far as it can be understood, and every fault in it. With faults the value is what admission still judges
 * beside them (a removed column is reported together with a bad type), never what the loop runs.
 */
export interface DecodedSpec {
  readonly errors: readonly FieldError[];
  readonly value: DatabaseTableSpec | undefined;
  /** Keys of columns that are there but were not understood: nobody may take them for removed. */
  readonly faultyColumns: readonly string[];
}

/** Reads the spec of a DatabaseTable; the CRD's schema may be the bare one, so nothing is taken for granted. */
export function decodeTableSpec(spec: unknown): DecodedSpec {
  if (spec === undefined || spec === null) return failed([required("spec", "must be set")]);
  if (!isObject(spec)) return failed([typeInvalid("spec", "an object", spec)]);
  const reader = new FieldReader(spec, "spec", []);
  reader.denyUnknown(SPEC_FIELDS);
  const tableName = reader.requiredString("tableName");
  const schema = reader.optionalString("schema");
  const columns = decodeColumns(reader);
  const primaryKey = decodePrimaryKey(reader);
  const deletionPolicy = reader.optionalEnum("deletionPolicy", DELETION_POLICIES);
  if (tableName === undefined || columns === undefined || primaryKey === undefined) {
    return failed(reader.errors);
  }
  return {
    errors: reader.errors,
    faultyColumns: columns.faulty,
    value: {
      tableName,
      columns: columns.understood,
      primaryKey,
      ...(schema === undefined ? {} : { schema }),
      ...(deletionPolicy === undefined ? {} : { deletionPolicy }),
    },
  };
}

function failed(errors: readonly FieldError[]): DecodedSpec {
  return { errors, value: undefined, faultyColumns: [] };
}

function decodeColumns(reader: FieldReader): { understood: ColumnSpec[]; faulty: string[] } | undefined {
  const columns = reader.raw("columns");
  if (columns === undefined || columns === null) {
    reader.errors.push(required(reader.path("columns"), "must list at least one column"));
    return undefined;
  }
  if (!Array.isArray(columns)) {
    reader.errors.push(typeInvalid(reader.path("columns"), "a list of columns", columns));
    return undefined;
  }
  const understood: ColumnSpec[] = [];
  const faulty: string[] = [];
  columns.forEach((column: unknown, index) => {
    const path = `${reader.path("columns")}[${index}]`;
    const entry = singleEntry(column, path, reader.errors);
    if (entry === undefined) return;
    const before = reader.errors.length;
    const decoded = decodeColumn(entry, path, reader.errors);
    if (decoded === undefined || reader.errors.length > before) faulty.push(entry.key);
    if (decoded !== undefined) understood.push(decoded);
  });
  return { understood, faulty };
}

function singleEntry(
  column: unknown,
  path: string,
  errors: FieldError[],
): { key: string; value: unknown } | undefined {
  if (!isObject(column)) {
    errors.push(typeInvalid(path, 'one property "NAME: TYPE"', column));
    return undefined;
  }
  const keys = Object.keys(column);
  const [key] = keys;
  if (key === undefined || keys.length !== 1) {
    errors.push(invalid(path, `must have exactly one property "NAME: TYPE": current value has ${keys.length}`));
    return undefined;
  }
  return { key, value: column[key] };
}

function decodeColumn(
  entry: { key: string; value: unknown },
  listPath: string,
  errors: FieldError[],
): ColumnSpec | undefined {
  const path = `${listPath}.${pathSegment(entry.key)}`;
  if (typeof entry.value === "string") {
    return { key: entry.key, path, typePath: path, type: entry.value, notNull: false };
  }
  if (!isObject(entry.value)) {
    errors.push(typeInvalid(path, "a type such as varchar(50) or an object with a type", entry.value));
    return undefined;
  }
  const reader = new FieldReader(entry.value, path, errors);
  reader.denyUnknown(COLUMN_FIELDS);
  const type = reader.requiredString("type");
  const notNull = reader.optionalBoolean("notNull") ?? false;
  const literal = decodeLiteral(reader);
  if (type === undefined) return undefined;
  const column = { key: entry.key, path, typePath: reader.path("type"), type, notNull };
  return literal === undefined ? column : { ...column, default: literal };
}

function decodeLiteral(reader: FieldReader): LiteralDefault | undefined {
  const value = reader.raw("default");
  if (value === undefined || value === null) return value;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    // Other numbers have already lost digits on their way through YAML and JSON.
    if (Number.isSafeInteger(value)) return value;
    reader.errors.push(invalid(reader.path("default"), "must be a whole number within ±2^53: quote other numbers"));
    return undefined;
  }
  reader.errors.push(typeInvalid(reader.path("default"), "a string, a boolean, a whole number or null", value));
  return undefined;
}

function decodePrimaryKey(reader: FieldReader): string | readonly string[] | undefined {
  const value = reader.raw("primaryKey");
  const path = reader.path("primaryKey");
  if (value === undefined || value === null) {
    reader.errors.push(required(path, "must name at least one column"));
    return undefined;
  }
  if (typeof value === "string") return value;
  if (!Array.isArray(value) || value.length === 0) {
    reader.errors.push(
      invalid(path, `must be a name, "A, B" or a list of names: current value is ${describeValue(value)}`),
    );
    return undefined;
  }
  const names: string[] = [];
  value.forEach((name: unknown, index) => {
    if (typeof name === "string") names.push(name);
    else reader.errors.push(typeInvalid(`${path}[${index}]`, "a column's name", name));
  });
  return names;
}

/** A key in a field path; anything but a plain word is shown in brackets, its control characters escaped. */
function pathSegment(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_$]*$/.test(key) && key.length <= 64 ? key : `[${describeValue(key)}]`;
}
