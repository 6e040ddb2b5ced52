import { compact, FieldReader, isObject, textOf } from "../decode_fields.ts";
import { describeValue, type FieldError, invalid, required, tooLong, typeInvalid } from "../field_error.ts";
import { decodeChangePolicy } from "./decode_change_policy.ts";
import { columnEntry, decodeColumn } from "./decode_column.ts";
import { decodeComment } from "./decode_comment.ts";
import { decodeChecks, decodeForeignKeys, decodeUniques } from "./decode_constraint.ts";
import { decodeConnectionSecretRef, decodeDatabaseRef } from "./decode_database.ts";
import { decodeIndexes } from "./decode_index.ts";
import {
  ADOPTION_POLICIES,
  APPROVALS,
  type ColumnSpec,
  type DatabaseTableSpec,
  DELETION_POLICIES,
  DRIFT_ACTIONS,
  type DriftSpec,
  MAX_COLUMNS,
  MAX_KEYS,
  TABLE_MODES,
} from "./types.ts";

const SPEC_FIELDS = [
  "tableName",
  "schema",
  "databaseRef",
  "connectionSecretRef",
  "columns",
  "primaryKey",
  "uniqueConstraints",
  "checks",
  "foreignKeys",
  "indexes",
  "comment",
  "changePolicy",
  "drift",
  "mode",
  "suspend",
  "deletionPolicy",
  "adoptionPolicy",
  "approval",
];

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
  const options = decodeOptions(reader);
  if (tableName === undefined || columns === undefined || primaryKey === undefined) {
    return failed(reader.errors);
  }
  return {
    errors: reader.errors,
    faultyColumns: columns.faulty,
    value: { ...compact({ tableName, schema, columns: columns.understood, primaryKey }), ...options },
  };
}

function decodeOptions(
  reader: FieldReader,
): Omit<DatabaseTableSpec, "tableName" | "schema" | "columns" | "primaryKey"> {
  return compact({
    databaseRef: decodeDatabaseRef(reader),
    connectionSecretRef: decodeConnectionSecretRef(reader),
    uniqueConstraints: decodeUniques(reader),
    checks: decodeChecks(reader),
    foreignKeys: decodeForeignKeys(reader),
    indexes: decodeIndexes(reader),
    comment: decodeComment(reader),
    changePolicy: decodeChangePolicy(reader),
    drift: decodeDrift(reader),
    mode: reader.optionalEnum("mode", TABLE_MODES),
    suspend: reader.optionalBoolean("suspend"),
    deletionPolicy: reader.optionalEnum("deletionPolicy", DELETION_POLICIES),
    adoptionPolicy: reader.optionalEnum("adoptionPolicy", ADOPTION_POLICIES),
    approval: reader.optionalEnum("approval", APPROVALS),
  });
}

function decodeDrift(spec: FieldReader): DriftSpec | undefined {
  const reader = spec.optionalObject("drift");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["action"]);
  return compact({ action: reader.optionalEnum("action", DRIFT_ACTIONS) });
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
  const fault = columnCountFault(columns.length);
  if (fault !== undefined) {
    reader.errors.push(fault);
    return undefined;
  }
  const understood: ColumnSpec[] = [];
  const faulty: string[] = [];
  columns.forEach((column: unknown, index) => {
    const path = `${reader.path("columns")}[${index}]`;
    const entry = columnEntry(column, path, reader.errors);
    if (entry === undefined) return;
    const before = reader.errors.length;
    const decoded = decodeColumn(entry, path, reader.errors);
    if (decoded === undefined || reader.errors.length > before) faulty.push(entry.key);
    if (decoded !== undefined) understood.push(decoded);
  });
  return { understood, faulty };
}

function columnCountFault(count: number): FieldError | undefined {
  if (count === 0) return invalid("spec.columns", "must list at least one column");
  if (count <= MAX_COLUMNS) return undefined;
  return tooLong("spec.columns", `must list at most ${MAX_COLUMNS} columns: current value has ${count}`);
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
  if (value.length > MAX_KEYS) {
    reader.errors.push(tooLong(path, `must list at most ${MAX_KEYS} columns: current value has ${value.length}`));
    return undefined;
  }
  return value
    .map((name: unknown, index) => textOf({ path: `${path}[${index}]`, value: name }, "a column's name", reader.errors))
    .filter((name) => name !== undefined);
}
