import { assertEquals } from "@std/assert";
import { emptyTable, type Table } from "../../../postgres/table.ts";
import { adoptedTable } from "./desired_adopted.ts";
import { understandSpec } from "./understand.ts";

const OBSERVED: Table = {
  ...emptyTable("public", "t"),
  comment: "theirs",
  columns: [
    { name: "id", type: "integer", notNull: true, default: `nextval('"public"."t_id_seq"'::regclass)` },
    { name: "a", type: "text", notNull: true, default: "'x'", collation: '"pg_catalog"."C"', comment: "theirs" },
  ],
};

async function adopted(columns: readonly unknown[], fields: Readonly<Record<string, unknown>> = {}) {
  const { desired } = await understandSpec({ tableName: "t", columns, primaryKey: "id", ...fields });
  return desired === undefined ? undefined : adoptedTable(desired, OBSERVED);
}

Deno.test("adoptedTable() leaves alone what the spec leaves out", async () => {
  const table = await adopted([{ id: "integer" }, { a: "text" }, { b: "text" }]);
  assertEquals(table?.columns, [...OBSERVED.columns, { name: "b", type: "text", notNull: false }]);
  assertEquals([table?.comment, table?.primaryKey], ["theirs", { columns: ["id"] }]);
});

Deno.test("adoptedTable() takes what the spec says, also that there is none", async () => {
  const stated = { type: "text", notNull: false, default: null, collation: "default", comment: "" };
  const table = await adopted([{ id: { type: "integer", identity: "Always" } }, { a: stated }], { comment: "" });
  assertEquals(table?.columns, [
    { name: "id", type: "integer", notNull: true, identity: "Always" },
    { name: "a", type: "text", notNull: false },
  ]);
  assertEquals(table?.comment, undefined);
});

Deno.test("adoptedTable() finds a sequence of its own under serial", async () => {
  const table = await adopted([{ id: "serial" }, { a: "varchar(5)" }]);
  assertEquals(table?.columns[0], OBSERVED.columns[0]);
  // A collation belongs to its type.
  assertEquals(table?.columns[1]?.collation, undefined);
});
