import { assertEquals } from "@std/assert";
import { type Column, emptyTable, type Index, type Table } from "../../../postgres/table.ts";
import { understandSpec } from "../../database_table/spec/understand.ts";
import { printSpec } from "./print_spec.ts";

function column(name: string, change: Partial<Column> = {}): Column {
  return { name, type: "integer", notNull: false, ...change };
}

function index(name: string, change: Partial<Index>): Index {
  return {
    name,
    unique: false,
    nullsNotDistinct: false,
    method: "btree",
    keys: [],
    include: [],
    valid: true,
    ...change,
  };
}

const TABLE: Table = {
  ...emptyTable("app", 'Or"der'),
  comment: "all of it",
  columns: [
    column("id", { type: "bigint", notNull: true, identity: "Always" }),
    column("No", { notNull: true, default: "5" }),
    column("mail", { type: "character varying(50)", default: "''::character varying", collation: '"pg_catalog"."C"' }),
    column("__proto__", { type: "text", comment: "a name like any other" }),
    column("twice", { generated: '("No" * 2)' }),
  ],
  primaryKey: { columns: ["id"] },
  uniques: [{ name: "u", columns: ["No"], nullsNotDistinct: true }],
  checks: [{ name: "c", expression: '("No" > 0)', validated: true }],
  foreignKeys: [{
    name: "f",
    columns: ["No"],
    references: { schema: "shop", table: "Parent", columns: ["id"] },
    onDelete: "SetNull",
    onUpdate: "NoAction",
    deferrable: "InitiallyImmediate",
    validated: true,
  }],
  indexes: [
    index("i", {
      keys: [{ column: "mail", order: "Descending", nulls: "Last", opclass: '"pg_catalog"."text_pattern_ops"' }],
      include: ["No"],
      where: '"No" > 1',
    }),
  ],
};

Deno.test("printSpec() and the operator's own reading are inverse", async () => {
  const printed = printSpec(TABLE);
  const { errors, desired } = await understandSpec(printed?.spec);
  assertEquals(errors, []);
  // Texts are printed anew, and the name of a primary key is nobody's choice.
  assertEquals(desired?.table, {
    ...TABLE,
    columns: TABLE.columns.map((each) => {
      if (each.name === "No") return { ...each, default: "5" };
      if (each.name === "twice") return { ...each, generated: '"No" * 2' };
      return each.name === "mail" ? { ...each, default: "''" } : each;
    }),
    checks: [{ name: "c", expression: '"No" > 0', validated: true }],
  });
  assertEquals(printed?.omissions, []);
});

Deno.test("printSpec() has nothing to print for a table without a primary key", () => {
  assertEquals(printSpec(emptyTable("app", "t")), undefined);
});

Deno.test("printSpec() names what no spec can say", () => {
  const odd: Table = {
    ...TABLE,
    checks: [{ name: "late", expression: "true", validated: false }],
    indexes: [
      index("mixed", {
        keys: [{ expression: "a + 1", order: "Ascending", nulls: "Last" }, {
          column: "id",
          order: "Ascending",
          nulls: "Last",
        }],
      }),
      index("broken", { valid: false }),
    ],
    unmanaged: [{ kind: "exclusion constraint", name: "e" }],
  };
  assertEquals(
    printSpec(odd)?.omissions.map(({ what }) => what),
    ['check "late"', 'index "mixed"', 'index "broken"', 'exclusion constraint "e"'],
  );
});
