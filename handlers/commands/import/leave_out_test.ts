import { assertEquals } from "@std/assert";
import { invalid } from "../../../crds/field_error.ts";
import { leaveOut } from "./leave_out.ts";
import type { PrintedSpec, TableSpec } from "./table_spec.ts";

const SPEC: TableSpec = {
  tableName: "t",
  comment: "odd",
  columns: [{ id: "integer" }, { a: { type: "text", notNull: true, defaultExpression: "f()" } }, { b: "weird" }],
  primaryKey: ["id"],
  uniqueConstraints: [{ name: "u", columns: ["b"] }],
  indexes: [{ name: "i", columns: ["a"] }, { name: "j", columns: [{ name: "b", order: "Descending" }] }],
  adoptionPolicy: "IfIdentical",
  deletionPolicy: "Retain",
};

function without(path: string): PrintedSpec | undefined {
  return leaveOut({ spec: SPEC, omissions: [] }, invalid(path, "why"));
}

Deno.test("leaveOut() takes a field of a column away, then all but its type, and says so", () => {
  const field = without("spec.columns[1].a.defaultExpression");
  assertEquals(field?.spec.columns[1], { a: { type: "text", notNull: true } });
  assertEquals(field?.omissions, [{ what: "default of column a", why: "why" }]);
  assertEquals(without("spec.columns[1].a")?.spec.columns[1], { a: "text" });
});

Deno.test("leaveOut() takes a column away with everything that needs it", () => {
  const printed = without("spec.columns[2].b");
  assertEquals(printed?.spec.columns.length, 2);
  assertEquals([printed?.spec.uniqueConstraints, printed?.spec.indexes], [undefined, [{ name: "i", columns: ["a"] }]]);
  assertEquals(printed?.omissions.map(({ what }) => what), ["column b", "index j", "unique constraint u"]);
});

Deno.test("leaveOut() takes parts and the comment away", () => {
  assertEquals(without("spec.indexes[0].columns[0].opclass")?.spec.indexes?.map(({ name }) => name), ["j"]);
  assertEquals(without("spec.comment")?.spec.comment, undefined);
});

Deno.test("leaveOut() leaves nothing of a table whose name or key is at fault", () => {
  for (const path of ["spec.tableName", "spec.primaryKey", "spec.schema", "spec", "spec.columns[0].id"]) {
    assertEquals(without(path), undefined, path);
  }
});
