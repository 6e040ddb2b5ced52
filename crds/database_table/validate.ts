import { type FieldError, forbidden, invalid, tooLong } from "../field_error.ts";
import { type DatabaseTableSpec, type DefaultedTableSpec, MAX_COLUMNS } from "./types.ts";

/** The rules on one spec that need no PostgreSQL knowledge. */
export function validateTableSpec(spec: DatabaseTableSpec): readonly FieldError[] {
  if (spec.columns.length === 0) return [invalid("spec.columns", "must list at least one column")];
  if (spec.columns.length > MAX_COLUMNS) {
    return [
      tooLong("spec.columns", `must list at most ${MAX_COLUMNS} columns: current value has ${spec.columns.length}`),
    ];
  }
  return [];
}

/** The rules on a change from one spec to another, beside those on the planned SQL. */
export function validateTableUpdate(spec: DefaultedTableSpec, old: DefaultedTableSpec): readonly FieldError[] {
  if (spec.schema === old.schema) return [];
  return [forbidden(
    "spec.schema",
    `is immutable: the table is in schema "${old.schema}"; move it by hand or create another object`,
  )];
}

/** What is legal but rarely meant. */
export function tableSpecWarnings(spec: DatabaseTableSpec): readonly string[] {
  return spec.columns
    .filter((column) => /^(true|false|null|[-+]?[0-9.]+(e[-+]?[0-9]+)?)$/i.test(column.key))
    .map((column) => `${column.path}: YAML turned the name into "${column.key}": quote the key if that is not meant`);
}
