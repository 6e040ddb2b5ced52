import { type FieldError, forbidden, invalid, required, tooLong } from "../field_error.ts";
import { isSameJson } from "../same_json.ts";
import {
  type ColumnSpec,
  type DatabaseTableSpec,
  type DefaultedTableSpec,
  type ForeignKeySpec,
  type IndexSpec,
  MAX_KEYS,
} from "./types.ts";

/** The rules on one spec that need no PostgreSQL knowledge. */
export function validateTableSpec(spec: DatabaseTableSpec): readonly FieldError[] {
  return [
    ...validateDatabaseChoice(spec),
    ...spec.columns.flatMap(validateColumn),
    ...(spec.foreignKeys ?? []).flatMap(validateForeignKey),
    ...(spec.indexes ?? []).flatMap(validateIndex),
  ];
}

/** One thing gives a column its value. */
const VALUE_FIELDS = ["default", "defaultExpression", "identity", "generatedAs"] as const;

function validateColumn(column: ColumnSpec): readonly FieldError[] {
  // `default: null` says that there is none.
  const [first, ...others] = VALUE_FIELDS.filter((field) => column[field] !== undefined && column[field] !== null);
  const errors = others.map((field) => forbidden(`${column.path}.${field}`, `cannot stand beside ${first}`));
  if (column.identity !== undefined && column.notNull === false) {
    errors.push(invalid(`${column.path}.notNull`, "must be true or left out: an identity column never holds NULL"));
  }
  return errors;
}

function validateForeignKey({ path, columns, references }: ForeignKeySpec): readonly FieldError[] {
  if (columns.length === references.columns.length) return [];
  return [invalid(
    `${path}.references.columns`,
    `must name as many columns as ${path}.columns (${columns.length}): current value has ${references.columns.length}`,
  )];
}

function validateIndex({ path, columns = [], expressions = [], include = [] }: IndexSpec): readonly FieldError[] {
  const keys = columns.length + expressions.length;
  if (keys === 0) return [required(`${path}.columns`, "must be set, or expressions")];
  if (keys + include.length <= MAX_KEYS) return [];
  return [tooLong(
    path,
    `must have at most ${MAX_KEYS} columns, expressions and included columns: current value has ${
      keys + include.length
    }`,
  )];
}

/** The rules on a change from one spec to another, beside those on the planned SQL. */
export function validateTableUpdate(spec: DefaultedTableSpec, old: DefaultedTableSpec): readonly FieldError[] {
  return [...validateSchemaUpdate(spec, old), ...validateDatabaseChoiceUpdate(spec, old)];
}

function validateSchemaUpdate(spec: DefaultedTableSpec, old: DefaultedTableSpec): readonly FieldError[] {
  if (spec.schema === old.schema) return [];
  return [forbidden(
    "spec.schema",
    `is immutable: the table is in schema "${old.schema}"; move it by hand or create another object`,
  )];
}

function validateDatabaseChoice({ databaseRef, connectionSecretRef }: DatabaseTableSpec): readonly FieldError[] {
  if (databaseRef === undefined || connectionSecretRef === undefined) return [];
  return [forbidden("spec.connectionSecretRef", "cannot stand beside databaseRef: a table is in one database")];
}

const DATABASE_CHOICES = ["databaseRef", "connectionSecretRef"] as const;

/** The table would stay behind, in the database that the object no longer names. */
function validateDatabaseChoiceUpdate(spec: DatabaseTableSpec, old: DatabaseTableSpec): readonly FieldError[] {
  return DATABASE_CHOICES.filter((field) => !isSameJson(spec[field], old[field]))
    .map((field) =>
      forbidden(`spec.${field}`, "is immutable, set or not: the table stays where it is; create another object")
    );
}

/** What is legal but rarely meant. */
export function tableSpecWarnings(spec: DatabaseTableSpec): readonly string[] {
  return [...handsOffWarnings(spec), ...columnKeyWarnings(spec)];
}

function handsOffWarnings({ suspend, mode }: DatabaseTableSpec): readonly string[] {
  if (suspend === true) {
    return ["spec.suspend is true: nothing is changed in the database, and deleting the object keeps the table"];
  }
  if (mode !== "Observe") return [];
  return ["spec.mode is Observe: the plan is only reported, and deleting the object keeps the table"];
}

function columnKeyWarnings(spec: DatabaseTableSpec): readonly string[] {
  return spec.columns
    .filter((column) => /^(true|false|null|[-+]?[0-9.]+(e[-+]?[0-9]+)?)$/i.test(column.key))
    .map((column) => `${column.path}: YAML turned the name into "${column.key}": quote the key if that is not meant`);
}
