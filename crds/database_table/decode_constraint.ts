import { compact, type FieldReader, type ListItem, readerOf } from "../decode_fields.ts";
import type { FieldError } from "../field_error.ts";
import {
  type CheckSpec,
  DEFERRABILITIES,
  type ForeignKeySpec,
  MAX_KEYS,
  MAX_PARTS,
  REFERENTIAL_ACTIONS,
  type UniqueSpec,
} from "./types.ts";

const UNIQUE_FIELDS = ["name", "columns", "nullsNotDistinct"];
const CHECK_FIELDS = ["name", "expression"];
const FOREIGN_KEY_FIELDS = ["name", "columns", "references", "onDelete", "onUpdate", "deferrable"];
const REFERENCE_FIELDS = ["schema", "table", "columns"];
const COLUMN = "a column's name";

/** Reads `spec.uniqueConstraints`; what is at fault is left out. */
export function decodeUniques(spec: FieldReader): readonly UniqueSpec[] | undefined {
  return decodeParts(spec, "uniqueConstraints", decodeUnique);
}

/** Reads `spec.checks`. */
export function decodeChecks(spec: FieldReader): readonly CheckSpec[] | undefined {
  return decodeParts(spec, "checks", decodeCheck);
}

/** Reads `spec.foreignKeys`. */
export function decodeForeignKeys(spec: FieldReader): readonly ForeignKeySpec[] | undefined {
  return decodeParts(spec, "foreignKeys", decodeForeignKey);
}

/** Reads a list of objects, each by itself, so that a fault in one hides none in another. */
export function decodeParts<T>(
  spec: FieldReader,
  field: string,
  decode: (item: ListItem, errors: FieldError[]) => T | undefined,
): readonly T[] | undefined {
  return spec.optionalList(field, MAX_PARTS)
    ?.map((item) => decode(item, spec.errors))
    .filter((part) => part !== undefined);
}

function decodeUnique(item: ListItem, errors: FieldError[]): UniqueSpec | undefined {
  const reader = readerOf(item, "an object with columns", errors);
  if (reader === undefined) return undefined;
  reader.denyUnknown(UNIQUE_FIELDS);
  const name = reader.optionalString("name");
  const columns = reader.requiredStrings("columns", COLUMN, MAX_KEYS);
  const nullsNotDistinct = reader.optionalBoolean("nullsNotDistinct");
  return columns === undefined ? undefined : compact({ path: item.path, name, columns, nullsNotDistinct });
}

function decodeCheck(item: ListItem, errors: FieldError[]): CheckSpec | undefined {
  const reader = readerOf(item, "an object with an expression", errors);
  if (reader === undefined) return undefined;
  reader.denyUnknown(CHECK_FIELDS);
  const name = reader.optionalString("name");
  const expression = reader.requiredString("expression");
  return expression === undefined ? undefined : compact({ path: item.path, name, expression });
}

function decodeForeignKey(item: ListItem, errors: FieldError[]): ForeignKeySpec | undefined {
  const reader = readerOf(item, "an object with columns and references", errors);
  if (reader === undefined) return undefined;
  reader.denyUnknown(FOREIGN_KEY_FIELDS);
  const name = reader.optionalString("name");
  const columns = reader.requiredStrings("columns", COLUMN, MAX_KEYS);
  const references = decodeReferences(reader.requiredObject("references"));
  const onDelete = reader.optionalEnum("onDelete", REFERENTIAL_ACTIONS);
  const onUpdate = reader.optionalEnum("onUpdate", REFERENTIAL_ACTIONS);
  const deferrable = reader.optionalEnum("deferrable", DEFERRABILITIES);
  if (columns === undefined || references === undefined) return undefined;
  return compact({ path: item.path, name, columns, references, onDelete, onUpdate, deferrable });
}

function decodeReferences(reader: FieldReader | undefined): ForeignKeySpec["references"] | undefined {
  if (reader === undefined) return undefined;
  reader.denyUnknown(REFERENCE_FIELDS);
  const schema = reader.optionalString("schema");
  const table = reader.requiredString("table");
  const columns = reader.requiredStrings("columns", COLUMN, MAX_KEYS);
  return table === undefined || columns === undefined ? undefined : compact({ schema, table, columns });
}
