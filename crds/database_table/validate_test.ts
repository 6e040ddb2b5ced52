import { assertEquals } from "@std/assert";
import { formatFieldError } from "../field_error.ts";
import { decodeTableSpec } from "./decode.ts";
import { defaultTableSpec } from "./default.ts";
import { tableSpecWarnings, validateTableSpec, validateTableUpdate } from "./validate.ts";
import type { DatabaseTableSpec } from "./types.ts";

function specOf(fields: Readonly<Record<string, unknown>>): DatabaseTableSpec {
  const { value, errors } = decodeTableSpec({
    tableName: "T",
    columns: [{ ID: "integer" }],
    primaryKey: "ID",
    ...fields,
  });
  if (value === undefined || errors.length > 0) throw new Error(errors.map(formatFieldError).join("; "));
  return value;
}

function faults(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return validateTableSpec(specOf(fields)).map(formatFieldError);
}

function column(options: Readonly<Record<string, unknown>>) {
  return { columns: [{ A: { type: "integer", ...options } }] };
}

Deno.test("validateTableSpec() lets one thing give a column its value", () => {
  assertEquals(faults(column({ default: 1, defaultExpression: "now()", identity: "Always", generatedAs: "1" })), [
    "spec.columns[0].A.defaultExpression: cannot stand beside default",
    "spec.columns[0].A.identity: cannot stand beside default",
    "spec.columns[0].A.generatedAs: cannot stand beside default",
  ]);
  assertEquals(faults(column({ identity: "Always", generatedAs: "1" })), [
    "spec.columns[0].A.generatedAs: cannot stand beside identity",
  ]);
  assertEquals(faults(column({ default: null, identity: "Always" })), []);
});

Deno.test("validateTableSpec() knows that an identity column never holds NULL", () => {
  assertEquals(faults(column({ identity: "Always", notNull: false })), [
    "spec.columns[0].A.notNull: must be true or left out: an identity column never holds NULL",
  ]);
  assertEquals(faults(column({ identity: "Always", notNull: true })), []);
});

Deno.test("validateTableSpec() counts the columns of foreign keys and the keys of indexes", () => {
  const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
  assertEquals(
    faults({
      foreignKeys: [{ columns: ["A", "B"], references: { table: "t", columns: ["x"] } }],
      indexes: [{ unique: true }, { columns: names, include: names }],
    }),
    [
      "spec.foreignKeys[0].references.columns: must name as many columns as spec.foreignKeys[0].columns (2): " +
      "current value has 1",
      "spec.indexes[0].columns: must be set, or expressions",
      "spec.indexes[1]: must have at most 32 columns, expressions and included columns: current value has 40",
    ],
  );
});

Deno.test("validateTableUpdate() keeps a table in its schema", () => {
  const update = validateTableUpdate(defaultTableSpec(specOf({ schema: "b" })), defaultTableSpec(specOf({})));
  assertEquals(update.map(formatFieldError), [
    'spec.schema: is immutable: the table is in schema "public"; move it by hand or create another object',
  ]);
});

Deno.test("tableSpecWarnings() asks about names that YAML has changed", () => {
  const spec = specOf({ columns: [{ ID: "integer" }, { false: "integer" }, { 123: "integer" }] });
  assertEquals(tableSpecWarnings(spec), [
    'spec.columns[1].false: YAML turned the name into "false": quote the key if that is not meant',
    'spec.columns[2].["123"]: YAML turned the name into "123": quote the key if that is not meant',
  ]);
});

Deno.test("tableSpecWarnings() says that hands off keeps the table", () => {
  const kept = "and deleting the object keeps the table";
  assertEquals(tableSpecWarnings(specOf({ suspend: true, mode: "Observe" })), [
    `spec.suspend is true: nothing is changed in the database, ${kept}`,
  ]);
  assertEquals(tableSpecWarnings(specOf({ mode: "Observe" })), [
    `spec.mode is Observe: the plan is only reported, ${kept}`,
  ]);
  assertEquals(tableSpecWarnings(specOf({ suspend: false, mode: "Apply" })), []);
});
