import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { SchemaChange } from "../change.ts";
import { planTable } from "./plan.ts";
import { type Column, emptyTable, type ForeignKey, type Index, type Table } from "../table.ts";

const ID: Column = { name: "id", type: "integer", notNull: true };
const EMAIL: Column = { name: "email", type: "text", notNull: false };

function table(parts: Partial<Table> = {}): Table {
  return {
    ...emptyTable("public", "users"),
    columns: [ID, EMAIL],
    primaryKey: { name: "users_pkey", columns: ["id"] },
    ...parts,
  };
}

function kinds(changes: readonly SchemaChange[]): readonly string[] {
  return changes.map((change) => change.kind);
}

const INDEX: Index = {
  name: "users_email_idx",
  unique: false,
  nullsNotDistinct: false,
  method: "btree",
  keys: [{ column: "email", order: "Ascending", nulls: "Last" }],
  include: [],
  valid: true,
};

const FOREIGN_KEY: ForeignKey = {
  name: "users_id_fkey",
  columns: ["id"],
  references: { schema: "public", table: "people", columns: ["id"] },
  onDelete: "NoAction",
  onUpdate: "NoAction",
  deferrable: "No",
  validated: true,
};

Deno.test("planTable() creates a table with its indexes and comments, and its foreign keys behind all that", () => {
  const desired = table({ indexes: [INDEX], foreignKeys: [FOREIGN_KEY], comment: "people who log in" });
  assertEquals(kinds(planTable(desired, undefined)), [
    "CreateTable",
    "CreateIndex",
    "SetTableComment",
    "AddForeignKey",
  ]);
});

Deno.test("planTable() plans nothing for a table that is as desired, whatever its parts are called", () => {
  const observed = table({
    uniques: [{ name: "u", columns: ["email"], nullsNotDistinct: false }],
    checks: [{ name: "c", expression: "id > 0", validated: true }],
    foreignKeys: [FOREIGN_KEY],
    indexes: [INDEX],
  });
  const { name: _index, ...index } = INDEX;
  const { name: _key, ...foreignKey } = FOREIGN_KEY;
  const desired = table({
    primaryKey: { columns: ["id"] },
    uniques: [{ columns: ["email"], nullsNotDistinct: false }],
    checks: [{ expression: "id > 0", validated: true }],
    foreignKeys: [foreignKey],
    indexes: [index],
  });
  assertEquals(planTable(desired, observed), []);
});

Deno.test("planTable() ignores the order of columns and what is unmanaged", () => {
  const observed = table({ columns: [EMAIL, ID], unmanaged: [{ kind: "column", name: "note" }] });
  assertEquals(planTable(table(), observed), []);
});

Deno.test("planTable() renames table and column first, then adds", () => {
  const phone: Column = { name: "phone", type: "text", notNull: false };
  const desired = table({ name: "people", columns: [ID, EMAIL, phone] });
  const changes = planTable(desired, table(), { renames: [{ from: "mail", to: "email" }], using: new Map() });
  assertEquals(changes, [
    { kind: "RenameTable", from: "users", to: "people" },
    { kind: "RenameColumn", from: "mail", to: "email" },
    { kind: "AddColumn", column: phone },
  ]);
});

Deno.test("planTable() replaces a primary key: old key, then nullability, then new key", () => {
  const desired = table({
    columns: [{ ...ID, notNull: false }, { ...EMAIL, notNull: true }],
    primaryKey: { columns: ["email"] },
  });
  assertEquals(planTable(desired, table()), [
    { kind: "DropConstraint", name: "users_pkey", constraint: "primary key", columns: ["id"] },
    { kind: "DropNotNull", column: "id" },
    { kind: "AddPrimaryKey", key: { columns: ["email"] } },
  ]);
});

Deno.test("planTable() plans type, default and nullability of one column in an order that can run", () => {
  const observed = table({ columns: [ID, { ...EMAIL, default: "'x'", notNull: true }] });
  const desired = table({ columns: [ID, { ...EMAIL, type: "bytea", default: "'y'" }] });
  assertEquals(planTable(desired, observed), [
    { kind: "ChangeType", column: "email", from: "text", to: "bytea", default: "'y'" },
    { kind: "DropNotNull", column: "email" },
  ]);
});

Deno.test("planTable() gives a part its explicit name, and replaces what has the name and another structure", () => {
  const observed = table({ checks: [{ name: "a", expression: "id > 0", validated: true }] });
  const renamed = table({ checks: [{ name: "b", expression: "id > 0", validated: true }] });
  assertEquals(planTable(renamed, observed), [{ kind: "RenameConstraint", from: "a", to: "b" }]);
  const replaced = table({ checks: [{ name: "a", expression: "id > 1", validated: true }] });
  assertEquals(kinds(planTable(replaced, observed)), ["DropConstraint", "AddCheck"]);
});

Deno.test("planTable() finishes what a step left behind: it validates, attaches and rebuilds", () => {
  const built: Index = {
    ...INDEX,
    name: "users_email_key",
    unique: true,
    keys: [{ column: "email", order: "Ascending", nulls: "Last" }],
  };
  const desired = table({
    uniques: [{ columns: ["email"], nullsNotDistinct: false }],
    checks: [{ expression: "id > 0", validated: true }],
    indexes: [INDEX],
  });
  const observed = table({
    checks: [{ name: "c", expression: "id > 0", validated: false }],
    indexes: [{ ...INDEX, valid: false }, built],
  });
  assertEquals(planTable(desired, observed), [
    {
      kind: "AttachIndex",
      index: "users_email_key",
      constraint: "unique constraint",
      columns: ["email"],
    },
    { kind: "RebuildIndex", name: "users_email_idx", index: INDEX },
    { kind: "ValidateConstraint", name: "c" },
  ]);
});

Deno.test("planTable() tells identity, generated columns, collations and comments apart", () => {
  const cases: readonly [Column, Column, readonly string[]][] = [
    [ID, { ...ID, identity: "Always" }, ["AddIdentity"]],
    [{ ...ID, identity: "Always" }, { ...ID, identity: "ByDefault" }, ["SetIdentity"]],
    [{ ...ID, identity: "Always" }, ID, ["DropIdentity"]],
    [EMAIL, { ...EMAIL, generated: "'x'" }, ["DropColumn", "AddColumn"]],
    [{ ...EMAIL, generated: "'x'" }, { ...EMAIL, generated: "'y'" }, ["SetExpression"]],
    [{ ...EMAIL, generated: "'x'" }, EMAIL, ["DropExpression"]],
    [EMAIL, { ...EMAIL, collation: '"pg_catalog"."C"' }, ["SetCollation"]],
    [EMAIL, { ...EMAIL, comment: "login" }, ["SetColumnComment"]],
    [EMAIL, { ...EMAIL, default: "now()" }, ["SetDefault"]],
    [{ ...EMAIL, default: "now()" }, EMAIL, ["DropDefault"]],
  ];
  for (const [before, after, expected] of cases) {
    const observed = { ...emptyTable("public", "t"), columns: [before] };
    const desired = { ...emptyTable("public", "t"), columns: [after] };
    assertEquals(kinds(planTable(desired, observed)), expected);
  }
});

Deno.test("planTable() alters how late a foreign key is checked, and replaces it when what it does changes", () => {
  const observed = table({ foreignKeys: [FOREIGN_KEY] });
  const deferred = table({ foreignKeys: [{ ...FOREIGN_KEY, deferrable: "InitiallyDeferred" }] });
  assertEquals(planTable(deferred, observed), [
    { kind: "AlterDeferrability", name: "users_id_fkey", deferrable: "InitiallyDeferred" },
  ]);
  const cascading = table({ foreignKeys: [{ ...FOREIGN_KEY, onDelete: "Cascade" }] });
  assertEquals(kinds(planTable(cascading, observed)), ["DropConstraint", "AddForeignKey"]);
});

const anyColumn = fc.record({
  name: fc.constantFrom("a", "b", "c", "d", "e"),
  type: fc.constantFrom("integer", "text", "date"),
  notNull: fc.boolean(),
});
const anyTable = fc.record({
  name: fc.constantFrom("t", "u"),
  columns: fc.uniqueArray(anyColumn, { minLength: 1, selector: (column: Column) => column.name }),
}).map((parts: Pick<Table, "name" | "columns">): Table => {
  const [first] = parts.columns;
  const key = first === undefined ? [] : [first.name];
  const columns = parts.columns.map((column, index) => index === 0 ? { ...column, notNull: true } : column);
  const unmanaged = [{ kind: "column" as const, name: "zz" }];
  return { ...emptyTable("public", parts.name), columns, primaryKey: { name: "k", columns: key }, unmanaged };
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

Deno.test("planTable() drops what is computed before what it is computed from", () => {
  const observed = table({
    columns: [ID, EMAIL, { name: "short", type: "text", notNull: false, generated: "lower(email)" }],
  });
  const changes = planTable(table({ columns: [ID] }), observed);
  assertEquals(changes.map((change) => change.kind === "DropColumn" && change.column.name), ["short", "email"]);
});

Deno.test("planTable() makes no constraint of an index whose name the spec gives to something else", () => {
  const index = { ...INDEX, unique: true, name: "once" };
  const uniques = [{ columns: ["email"], nullsNotDistinct: false }];
  assertEquals(kinds(planTable(table({ uniques }), table({ indexes: [index] }))), ["AttachIndex"]);
  const checks = [{ name: "once", expression: "id > 0", validated: true }];
  assertEquals(kinds(planTable(table({ uniques, checks }), table({ indexes: [index] }))), [
    "DropIndex",
    "AddUnique",
    "AddCheck",
  ]);
  const named = [
    { columns: ["id"], name: "once", nullsNotDistinct: false },
    { columns: ["email"], name: "twice", nullsNotDistinct: false },
  ];
  const desired = table({ uniques: named });
  assertEquals(kinds(planTable(desired, table({ indexes: [index] }))), ["DropIndex", "AddUnique", "AddUnique"]);
});
