import { compact, FieldReader, isObject, pathSegment } from "../decode_fields.ts";
import { type FieldError, invalid, typeInvalid } from "../field_error.ts";
import { decodeComment } from "./decode_comment.ts";
import {
  type ColumnReferenceSpec,
  type ColumnSpec,
  IDENTITIES,
  type LiteralDefault,
  REFERENTIAL_ACTIONS,
} from "./types.ts";

const COLUMN_FIELDS = [
  "type",
  "notNull",
  "default",
  "defaultExpression",
  "check",
  "unique",
  "references",
  "identity",
  "generatedAs",
  "collation",
  "comment",
  "renamedFrom",
  "using",
];
const REFERENCE_FIELDS = ["schema", "table", "column", "onDelete", "onUpdate"];

/** The one property of an entry of `spec.columns`. */
export interface ColumnEntry {
  readonly key: string;
  readonly value: unknown;
}

/** The property "NAME: TYPE" of an entry, whatever stands behind the name. */
export function columnEntry(column: unknown, path: string, errors: FieldError[]): ColumnEntry | undefined {
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

/** Reads a column in its short or its long form; `undefined` if not even a type is there. */
export function decodeColumn(entry: ColumnEntry, listPath: string, errors: FieldError[]): ColumnSpec | undefined {
  const path = `${listPath}.${pathSegment(entry.key)}`;
  if (typeof entry.value === "string") return { key: entry.key, path, typePath: path, type: entry.value };
  if (!isObject(entry.value)) {
    errors.push(typeInvalid(path, "a type such as varchar(50) or an object with a type", entry.value));
    return undefined;
  }
  const reader = new FieldReader(entry.value, path, errors);
  reader.denyUnknown(COLUMN_FIELDS);
  const type = reader.requiredString("type");
  const options = decodeOptions(reader);
  return type === undefined ? undefined : { key: entry.key, path, typePath: reader.path("type"), type, ...options };
}

function decodeOptions(reader: FieldReader): Omit<ColumnSpec, "key" | "path" | "typePath" | "type"> {
  return compact({
    notNull: reader.optionalBoolean("notNull"),
    default: decodeLiteral(reader),
    defaultExpression: reader.optionalString("defaultExpression"),
    check: reader.optionalString("check"),
    unique: reader.optionalBoolean("unique"),
    references: decodeReferences(reader.optionalObject("references")),
    identity: reader.optionalEnum("identity", IDENTITIES),
    generatedAs: reader.optionalString("generatedAs"),
    collation: reader.optionalString("collation"),
    comment: decodeComment(reader),
    renamedFrom: reader.optionalString("renamedFrom"),
    using: reader.optionalString("using"),
  });
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

function decodeReferences(reader: FieldReader | undefined): ColumnReferenceSpec | undefined {
  if (reader === undefined) return undefined;
  reader.denyUnknown(REFERENCE_FIELDS);
  const schema = reader.optionalString("schema");
  const table = reader.requiredString("table");
  const column = reader.requiredString("column");
  const onDelete = reader.optionalEnum("onDelete", REFERENTIAL_ACTIONS);
  const onUpdate = reader.optionalEnum("onUpdate", REFERENTIAL_ACTIONS);
  return table === undefined || column === undefined
    ? undefined
    : compact({ schema, table, column, onDelete, onUpdate });
}
