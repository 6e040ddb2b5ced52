import { assertEquals } from "@std/assert";
import { qualifyType, qualifyTypes } from "./qualify_types.ts";
import { emptyTable } from "../table.ts";

const SCHEMAS = new Map([["mood", "app"], ['a"b', "x y"]]);

Deno.test("qualifyType() gives a schema to a name that has none", () => {
  assertEquals(qualifyType('"mood"', SCHEMAS), '"app"."mood"');
  assertEquals(qualifyType('"mood"[]', SCHEMAS), '"app"."mood"[]');
  assertEquals(qualifyType('"a""b"(3)', SCHEMAS), '"x y"."a""b"(3)');
  for (const type of ['"other"."mood"', '"moody"', "integer", '"char"']) assertEquals(qualifyType(type, SCHEMAS), type);
});

Deno.test("qualifyTypes() reaches every type of a table and leaves everything else", async () => {
  const key = { order: "Ascending", nulls: "Last" } as const;
  const index = { unique: false, nullsNotDistinct: false, method: "btree", include: [], valid: true };
  const plain = { name: "b", type: "text", notNull: false, default: "E'\\\\ \"mood\"'" };
  const table = {
    ...emptyTable("public", "t"),
    columns: [{ name: "a", type: '"mood"', notNull: true, default: `'glad'::"mood"` }, plain],
    checks: [{ expression: `a <> 'sad'::"mood"`, validated: true }, { expression: "(b) > ''", validated: true }],
    indexes: [{
      ...index,
      keys: [{ column: "a", ...key }, { expression: `b::"mood"`, ...key }],
      where: `a = 'glad'::"mood"`,
    }],
  };
  assertEquals(await qualifyTypes(table, SCHEMAS), {
    ...table,
    columns: [{ name: "a", type: '"app"."mood"', notNull: true, default: `'glad'::"app"."mood"` }, plain],
    checks: [{ expression: `a <> 'sad'::"app"."mood"`, validated: true }, { expression: "(b) > ''", validated: true }],
    indexes: [{
      ...index,
      keys: [{ column: "a", ...key }, { expression: `b::"app"."mood"`, ...key }],
      where: `a = 'glad'::"app"."mood"`,
    }],
  });
});
