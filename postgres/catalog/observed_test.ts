import { assertEquals } from "@std/assert";
import { tableOf, takenNames } from "./observed.ts";
import type { OwnedTable } from "../registry/registry.ts";
import { type CatalogConstraint, type CatalogIndex, emptyRelation, type Relation } from "./relation.ts";
import { emptyTable, type Table } from "../table.ts";

const ID = { number: 1, name: "id", type: "integer", notNull: true, notNullValidated: true };
const FLAGS = { validated: true, enforced: true, deferrable: "No" } as const;
const KEY: CatalogConstraint = { oid: 1, name: "t_pkey", kind: "primary key", columns: ["id"], ...FLAGS };
const CHECK: CatalogConstraint = {
  oid: 2,
  name: "c",
  kind: "check",
  columns: ["id"],
  expression: "(id > 0)",
  ...FLAGS,
};
const REFERENCE: CatalogConstraint = {
  oid: 3,
  name: "f",
  kind: "foreign key",
  columns: ["id"],
  ...FLAGS,
  references: {
    schema: "public",
    table: "p",
    columns: ["x"],
    onDelete: "Cascade",
    onUpdate: "NoAction",
    match: "Simple",
  },
};
const UNIQUE: CatalogConstraint = {
  oid: 4,
  name: "u",
  kind: "unique",
  columns: ["id"],
  nullsNotDistinct: true,
  ...FLAGS,
};
const INDEX: CatalogIndex = {
  oid: 5,
  name: "i",
  unique: false,
  nullsNotDistinct: false,
  valid: true,
  ready: true,
  building: false,
  method: "btree",
  keys: [{ expression: "abs(id)", order: "Ascending", nulls: "Last" }],
  include: [],
  where: "(id > 0)",
};

const RELATION: Relation = {
  ...emptyRelation("public", "t"),
  columns: [ID],
  constraints: [CHECK, REFERENCE, KEY, UNIQUE],
  indexes: [INDEX],
};

const DESIRED: Table = emptyTable("public", "t");

function row(parts: Partial<OwnedTable>): OwnedTable {
  return {
    id: "1",
    schema: "public",
    table: "t",
    oid: 1,
    owner: { clusterId: "c", namespace: "n", name: "t", uid: "u", generation: 1 },
    specHash: "",
    origin: "created",
    members: { column: ["id"], constraint: ["c", "f", "t_pkey", "u"], index: ["i"] },
    expressions: {},
    fingerprint: "0",
    epochChanged: false,
    ...parts,
  };
}

Deno.test("tableOf() gives members as parts of a table and everything else as unmanaged", () => {
  const relation: Relation = {
    ...RELATION,
    columns: [ID, { ...ID, number: 2, name: "note" }],
    constraints: [...RELATION.constraints, { ...CHECK, name: "hand" }, { ...UNIQUE, name: "x", kind: "exclusion" }],
    indexes: [INDEX, { ...INDEX, name: "hand_idx" }],
    triggers: ["t"],
    policies: ["p"],
    statistics: ["public.s"],
    inheritance: ["public.child"],
  };
  const table = tableOf(relation, { row: row({}), desired: DESIRED });
  assertEquals(table.columns, [{ name: "id", type: "integer", notNull: true }]);
  assertEquals(table.primaryKey, { name: "t_pkey", columns: ["id"] });
  assertEquals(table.uniques, [{ name: "u", columns: ["id"], nullsNotDistinct: true }]);
  assertEquals(table.checks, [{ name: "c", expression: "(id > 0)", validated: true }]);
  assertEquals(table.foreignKeys, [{
    name: "f",
    columns: ["id"],
    references: { schema: "public", table: "p", columns: ["x"] },
    onDelete: "Cascade",
    onUpdate: "NoAction",
    deferrable: "No",
    validated: true,
  }]);
  assertEquals(table.indexes.map(({ name }) => name), ["i"]);
  assertEquals(table.unmanaged.map(({ kind, name }) => `${kind} ${name}`), [
    "column note",
    "constraint hand",
    "exclusion constraint x",
    "index hand_idx",
    "trigger t",
    "policy p",
    "statistics public.s",
    "inheritance public.child",
  ]);
});

Deno.test("tableOf() gives declared texts while the stored ones are those that the registry knows", () => {
  const relation = {
    ...RELATION,
    columns: [{ ...ID, default: "'1'::integer" }, { ...ID, number: 2, name: "g", generated: "(id * 2)" }],
  };
  const known = row({
    members: { column: ["id", "g"], constraint: ["c"], index: ["i"] },
    expressions: {
      "default/id": ["'1'", "'1'::integer"],
      "generated/g": ["id * 2", "(id * 2)"],
      "check/c": ["id > 0", "(id > 0)"],
      "index/i/1": ["abs(id)", "abs(id)"],
      "index/i/where": ["id > 0", "(id > 1)"],
    },
  });
  const table = tableOf(relation, { row: known, desired: DESIRED });
  assertEquals(table.columns.map((column) => [column.default, column.generated]), [["'1'", undefined], [
    undefined,
    "id * 2",
  ]]);
  assertEquals(table.checks[0]?.expression, "id > 0");
  // Somebody changed the condition: the stored text speaks.
  assertEquals([table.indexes[0]?.keys[0]?.expression, table.indexes[0]?.where], ["abs(id)", "(id > 0)"]);
});

Deno.test("tableOf() lists a member as unmanaged when somebody made of it what no spec can say", () => {
  const odd: readonly CatalogConstraint[] = [
    { ...CHECK, enforced: false },
    { ...CHECK, noInherit: true },
    { ...UNIQUE, deferrable: "InitiallyDeferred" },
    { ...UNIQUE, include: ["x"] },
    { ...UNIQUE, period: true },
    ...(["Full", "Partial"] as const).map((match): CatalogConstraint => ({
      ...REFERENCE,
      ...(REFERENCE.references === undefined ? {} : { references: { ...REFERENCE.references, match } }),
    })),
  ];
  for (const constraint of odd) {
    const table = tableOf({ ...RELATION, constraints: [constraint] }, { row: row({}), desired: DESIRED });
    assertEquals([table.uniques, table.checks, table.foreignKeys], [[], [], []]);
    assertEquals(table.unmanaged.filter(({ kind }) => kind === "constraint").map(({ name }) => name), [
      constraint.name,
    ]);
  }
});

Deno.test("a NOT NULL that is not validated differs from what is wanted, whatever that is", () => {
  const relation = { ...RELATION, columns: [{ ...ID, notNullValidated: false }], constraints: [] };
  const notNull = (wanted: boolean) => {
    const desired = { ...DESIRED, columns: [{ name: "id", type: "integer", notNull: wanted }] };
    return tableOf(relation, { row: undefined, desired }).columns[0]?.notNull;
  };
  assertEquals([notNull(true), notNull(false)], [false, true]);
});

Deno.test("takenNames() names what stands in the way of the names in the spec", () => {
  const relation: Relation = {
    ...RELATION,
    columns: [{ ...ID, notNullConstraint: "nn" }],
    constraints: [...RELATION.constraints, { ...CHECK, oid: 9, name: "hand" }],
    indexes: [{ ...INDEX, name: "hand_idx" }],
  };
  const check = (name: string) => ({ name, expression: "id > 0", validated: true });
  const { oid: _oid, ready: _ready, building: _building, ...index } = INDEX;
  const desired: Table = {
    ...DESIRED,
    checks: ["hand", "nn", "c", "free"].map(check),
    indexes: [{ ...index, name: "hand_idx" }, { ...index, name: "other" }],
  };
  assertEquals(takenNames(relation, { row: row({}), desired }), [
    { kind: "constraint", name: "hand" },
    { kind: "index", name: "hand_idx" },
    { kind: "constraint", name: "nn" },
  ]);
});
