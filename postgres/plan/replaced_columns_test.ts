import { assertEquals } from "@std/assert";
import type { Table } from "../table.ts";
import { namesMissing, replacedColumns, withoutDependents } from "./replaced_columns.ts";

const COLUMN = { name: "a", type: "integer", notNull: false, generated: "b * 2", comment: "c" };
const KEY = { column: "b", order: "Ascending", nulls: "Last" } as const;
const INDEX = { unique: false, nullsNotDistinct: false, method: "btree", include: [], valid: true } as const;
const TABLE: Table = {
  schema: "public",
  name: "t",
  columns: [COLUMN, { name: "b", type: "integer", notNull: true, comment: "kept" }],
  primaryKey: { name: "t_pkey", columns: ["b"] },
  uniques: [{ name: "both", columns: ["a", "b"], nullsNotDistinct: false }],
  checks: [{ name: "of_a", expression: "A > 0", validated: true }, {
    name: "of_b",
    expression: "b > 0",
    validated: true,
  }],
  foreignKeys: [],
  indexes: [{ ...INDEX, name: "i", keys: [KEY], where: "a > 0" }, { ...INDEX, name: "j", keys: [KEY] }],
  unmanaged: [],
};

Deno.test("replacedColumns() are those whose expression changes, before PostgreSQL 17", () => {
  const changes = [{ kind: "SetExpression", column: COLUMN }, { kind: "DropNotNull", column: "b" }] as const;
  assertEquals(replacedColumns(changes, 16), ["a"]);
  assertEquals(replacedColumns(changes, 17), []);
});

Deno.test("withoutDependents() takes away what names the column, by list or in an expression, and its comment", async () => {
  const left = await withoutDependents(TABLE, ["a"]);
  assertEquals(left.columns.map(({ comment }) => comment), [undefined, "kept"]);
  assertEquals([left.primaryKey, left.uniques], [TABLE.primaryKey, []]);
  assertEquals([left.checks, left.indexes].map((parts) => parts.map(({ name }) => name)), [["of_b"], ["j"]]);
  assertEquals([...namesMissing(TABLE, left)], ["both", "of_a", "i"]);
});
