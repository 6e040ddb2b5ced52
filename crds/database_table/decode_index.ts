import { compact, type FieldReader, type ListItem, readerOf, textOf } from "../decode_fields.ts";
import type { FieldError } from "../field_error.ts";
import { decodeParts } from "./decode_constraint.ts";
import { type IndexColumnSpec, type IndexSpec, MAX_KEYS, NULLS_ORDERS, SORT_ORDERS } from "./types.ts";

const INDEX_FIELDS = ["name", "columns", "expressions", "unique", "method", "where", "include"];
const KEY_FIELDS = ["name", "opclass", "order", "nulls", "collation"];

/** Reads `spec.indexes`. */
export function decodeIndexes(spec: FieldReader): readonly IndexSpec[] | undefined {
  return decodeParts(spec, "indexes", decodeIndex);
}

function decodeIndex(item: ListItem, errors: FieldError[]): IndexSpec | undefined {
  const reader = readerOf(item, "an object with columns or expressions", errors);
  if (reader === undefined) return undefined;
  const before = errors.length;
  reader.denyUnknown(INDEX_FIELDS);
  const index = compact({
    path: item.path,
    name: reader.optionalString("name"),
    columns: decodeKeys(reader),
    expressions: reader.optionalStrings("expressions", "an SQL expression", MAX_KEYS),
    unique: reader.optionalBoolean("unique"),
    method: reader.optionalString("method"),
    where: reader.optionalString("where"),
    include: reader.optionalStrings("include", "a column's name", MAX_KEYS),
  });
  // Every field says which index it is: with one of them missing it would be judged as another index.
  return errors.length > before ? undefined : index;
}

function decodeKeys(reader: FieldReader): readonly IndexColumnSpec[] | undefined {
  const keys = reader.optionalItems("columns", MAX_KEYS)?.map((item) => decodeKey(item, reader.errors));
  return keys?.filter((key) => key !== undefined);
}

function decodeKey(item: ListItem, errors: FieldError[]): IndexColumnSpec | undefined {
  const { path, value } = item;
  if (typeof value !== "object" || value === null) {
    const name = textOf(item, "a column's name or an object with a name", errors);
    return name === undefined ? undefined : { path, name };
  }
  const reader = readerOf(item, "a column's name or an object with a name", errors);
  if (reader === undefined) return undefined;
  reader.denyUnknown(KEY_FIELDS);
  const name = reader.requiredString("name");
  const opclass = reader.optionalString("opclass");
  const order = reader.optionalEnum("order", SORT_ORDERS);
  const nulls = reader.optionalEnum("nulls", NULLS_ORDERS);
  const collation = reader.optionalString("collation");
  return name === undefined ? undefined : compact({ path, name, opclass, order, nulls, collation });
}
