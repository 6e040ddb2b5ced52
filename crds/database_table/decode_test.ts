import { assertEquals } from "@std/assert";
import { formatFieldError } from "../field_error.ts";
import { decodeTableSpec } from "./decode.ts";

function faults(spec: unknown): readonly string[] {
  return decodeTableSpec(spec).errors.map(formatFieldError);
}

const GOOD = { tableName: "T", columns: [{ ID: "integer" }], primaryKey: "ID" };

Deno.test("decodeTableSpec() reads short and long columns", () => {
  const { value, errors } = decodeTableSpec({
    ...GOOD,
    columns: [{ ID: "integer" }, { EMAIL: { type: "text", notNull: true, default: "" } }],
  });
  assertEquals(errors, []);
  assertEquals(value?.columns, [
    { key: "ID", path: "spec.columns[0].ID", typePath: "spec.columns[0].ID", type: "integer", notNull: false },
    {
      key: "EMAIL",
      path: "spec.columns[1].EMAIL",
      typePath: "spec.columns[1].EMAIL.type",
      type: "text",
      notNull: true,
      default: "",
    },
  ]);
});

Deno.test("decodeTableSpec() tells every fault at once", () => {
  assertEquals(
    faults({
      tableName: 5,
      columns: [{ A: 1 }, { B: { type: "text", nope: 1, notNull: "yes" } }, "C", { D: "text", E: "text" }, {
        F: { type: "text", default: 1.5 },
      }],
      primaryKey: [],
      color: "red",
      deletionPolicy: "delete",
    }),
    [
      "spec.color: unknown field; known are tableName, schema, columns, primaryKey, deletionPolicy",
      "spec.tableName: must be a string: current value is 5",
      "spec.columns[0].A: must be a type such as varchar(50) or an object with a type: current value is 1",
      "spec.columns[1].B.nope: unknown field; known are type, notNull, default",
      'spec.columns[1].B.notNull: must be true or false: current value is "yes"',
      'spec.columns[2]: must be one property "NAME: TYPE": current value is "C"',
      'spec.columns[3]: must have exactly one property "NAME: TYPE": current value has 2',
      "spec.columns[4].F.default: must be a whole number within ±2^53: quote other numbers",
      'spec.primaryKey: must be a name, "A, B" or a list of names: current value is a list',
      'spec.deletionPolicy: "delete" is not one of "Delete", "Retain", "Forbid"',
    ],
  );
});

Deno.test("decodeTableSpec() reads no field from a prototype and takes __proto__ as a column's name", () => {
  assertEquals(faults({}), [
    "spec.tableName: must be set",
    "spec.columns: must list at least one column",
    "spec.primaryKey: must name at least one column",
  ]);
  const columns = JSON.parse('[{"__proto__": "integer"}]');
  const decoded = decodeTableSpec({ ...GOOD, columns });
  assertEquals(decoded.value?.columns[0]?.key, "__proto__");
});

Deno.test("decodeTableSpec() says what is missing when there is no spec", () => {
  assertEquals(faults(undefined), ["spec: must be set"]);
  assertEquals(faults(null), ["spec: must be set"]);
  assertEquals(faults([]), ["spec: must be an object: current value is a list"]);
});
