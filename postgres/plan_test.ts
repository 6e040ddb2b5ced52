import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hazardsOf } from "./hazard.ts";
import { planTable } from "./plan.ts";
import type { Column, Table } from "./table.ts";

const ID: Column = { name: "id", type: "integer", notNull: true };
const EMAIL: Column = { name: "email", type: "text", notNull: false };

function table(parts: Partial<Table> = {}): Table {
  return {
    schema: "public",
    name: "users",
    columns: [ID, EMAIL],
    primaryKey: { name: "users_pkey", columns: ["id"] },
    unmanaged: [],
    ...parts,
  };
}

Deno.test("planTable() creates a table that is not there", () => {
  assertEquals(planTable(table(), undefined), [{ kind: "CreateTable", table: table() }]);
});

Deno.test("planTable() plans nothing for a table that is as desired, whatever the key is called", () => {
  const desired = table({ primaryKey: { columns: ["id"] } });
  assertEquals(planTable(desired, table()), []);
});

Deno.test("planTable() ignores the order of columns and what is unmanaged", () => {
  const observed = table({ columns: [EMAIL, ID], unmanaged: [{ kind: "column", name: "note" }] });
  assertEquals(planTable(table(), observed), []);
});

Deno.test("planTable() renames first, then adds", () => {
  const phone: Column = { name: "phone", type: "text", notNull: false };
  const changes = planTable(table({ name: "people", columns: [ID, EMAIL, phone] }), table());
  assertEquals(changes, [
    { kind: "RenameTable", from: "users", to: "people" },
    { kind: "AddColumn", column: phone },
  ]);
});

Deno.test("planTable() replaces a primary key: old key, then nullability, then new key", () => {
  const desired = table({
    columns: [{ ...ID, notNull: false }, { ...EMAIL, notNull: true }],
    primaryKey: { columns: ["email"] },
  });
  assertEquals(planTable(desired, table()), [
    { kind: "DropPrimaryKey", name: "users_pkey", columns: ["id"] },
    { kind: "DropNotNull", column: "id" },
    { kind: "AddPrimaryKey", key: { columns: ["email"] } },
  ]);
});

Deno.test("planTable() plans a removed column last and hazardsOf() says that it drops data", () => {
  const changes = planTable(table({ columns: [ID] }), table());
  assertEquals(changes, [{ kind: "DropColumn", column: EMAIL }]);
  assertEquals(changes.flatMap(hazardsOf), ["DropsData", "BreaksReaders"]);
});

Deno.test("planTable() plans type, default and nullability of one column in an order that can run", () => {
  const observed = table({ columns: [ID, { ...EMAIL, default: "'x'", notNull: true }] });
  const desired = table({ columns: [ID, { ...EMAIL, type: "bytea", default: "'y'" }] });
  assertEquals(planTable(desired, observed).map((change) => change.kind), ["ChangeType", "SetDefault", "DropNotNull"]);
});

const anyColumn = fc.record({
  name: fc.constantFrom("a", "b", "c", "d", "e"),
  type: fc.constantFrom("integer", "text", "date"),
  notNull: fc.boolean(),
});
const anyTable = fc.record({
  name: fc.constantFrom("t", "u"),
  columns: fc.uniqueArray(anyColumn, { minLength: 1, selector: (column: Column) => column.name }),
  unmanaged: fc.constant([{ kind: "column" as const, name: "zz" }]),
}).map((parts: Pick<Table, "name" | "columns" | "unmanaged">): Table => {
  const [first] = parts.columns;
  const key = first === undefined ? [] : [first.name];
  const columns = parts.columns.map((column, index) => index === 0 ? { ...column, notNull: true } : column);
  return { schema: "public", ...parts, columns, primaryKey: { name: "k", columns: key } };
});

Deno.test("planTable() plans nothing between a table and itself", () => {
  fc.assert(fc.property(anyTable, (any: Table) => planTable(any, any).length === 0));
});

Deno.test("planTable() never names what is unmanaged and names every column that is to go", () => {
  fc.assert(fc.property(anyTable, anyTable, (desired: Table, observed: Table) => {
    const changes = planTable(desired, observed);
    const dropped = changes.flatMap((change) => change.kind === "DropColumn" ? [change.column.name] : []);
    const gone = observed.columns.map((column) => column.name)
      .filter((name) => !desired.columns.some((column) => column.name === name));
    return !JSON.stringify(changes.filter((change) => change.kind !== "CreateTable")).includes('"zz"') &&
      JSON.stringify(dropped) === JSON.stringify(gone);
  }));
});
