import { assertEquals } from "@std/assert";
import { formatFieldError } from "../../../crds/field_error.ts";
import { type Column, emptyTable, type Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "./desired.ts";
import { understandSpec } from "./understand.ts";

type Fields = Readonly<Record<string, unknown>>;

const GOOD = { tableName: "T", columns: [{ ID: "integer" }, { A: "text" }, { B: "integer" }], primaryKey: "ID" };
const ID: Column = { name: "id", type: "integer", notNull: true };
const A: Column = { name: "a", type: "text", notNull: false };
const B: Column = { name: "b", type: "integer", notNull: false };
const TABLE: Table = { ...emptyTable("public", "t"), columns: [ID, A, B], primaryKey: { columns: ["id"] } };

async function desired(fields: Fields): Promise<DesiredTable> {
  const understood = await understandSpec({ ...GOOD, ...fields });
  assertEquals(understood.errors.map(formatFieldError), []);
  if (understood.desired === undefined) throw new Error("no table");
  return understood.desired;
}

/** A third column beside `ID` and `A`. */
function column(options: Fields): Fields {
  return { columns: [{ ID: "integer" }, { A: "text" }, { B: { type: "integer", ...options } }] };
}

/** What of the table a spec changes. */
const TABLES: readonly (readonly [fields: Fields, parts: Partial<Table>])[] = [
  [{}, {}],
  [{ tableName: '"User"', schema: "App", comment: "all" }, { name: "User", schema: "app", comment: "all" }],
  [{ comment: "" }, {}],
  [{ primaryKey: "ID, B" }, { primaryKey: { columns: ["id", "b"] }, columns: [ID, A, { ...B, notNull: true }] }],
  [{ primaryKey: ["B"] }, {
    primaryKey: { columns: ["b"] },
    columns: [{ ...ID, notNull: false }, A, { ...B, notNull: true }],
  }],
  [column({ notNull: true, default: 5, comment: "n" }), {
    columns: [ID, A, { ...B, notNull: true, default: "5", comment: "n" }],
  }],
  [column({ comment: "", default: null }), {}],
  [column({ defaultExpression: " (1+2) " }), { columns: [ID, A, { ...B, default: "1 + 2" }] }],
  [column({ identity: "Always" }), { columns: [ID, A, { ...B, notNull: true, identity: "Always" }] }],
  [column({ generatedAs: "ID * 2" }), { columns: [ID, A, { ...B, generated: "id * 2" }] }],
  [column({ type: "varchar( 10 )", collation: "de-x-icu" }), {
    columns: [ID, A, { ...B, type: "character varying(10)", collation: '"pg_catalog"."de-x-icu"' }],
  }],
  [column({ type: "text", collation: "default" }), { columns: [ID, A, { ...B, type: "text" }] }],
  [column({ type: "name", collation: "C" }), { columns: [ID, A, { ...B, type: "name" }] }],
  [column({ type: "public.Mail", collation: 'public."Mine"' }), {
    columns: [ID, A, { ...B, type: '"public"."mail"', collation: '"public"."Mine"' }],
  }],
  [column({ type: "BigSerial" }), {
    columns: [ID, A, { ...B, type: "bigint", notNull: true, identity: "ByDefault" }],
  }],
  [column({ unique: true }), { uniques: [{ columns: ["b"], nullsNotDistinct: false }] }],
  [column({ unique: false }), {}],
  [{ ...column({ unique: true }), uniqueConstraints: [{ name: "U", columns: ["B", "A"], nullsNotDistinct: true }] }, {
    uniques: [
      { columns: ["b"], nullsNotDistinct: false },
      { name: "u", columns: ["b", "a"], nullsNotDistinct: true },
    ],
  }],
  [{ ...column({ check: "B > 0" }), checks: [{ name: '"Long"', expression: "length(A) > ID" }] }, {
    checks: [
      { expression: "b > 0", validated: true },
      { name: "Long", expression: "length(a) > id", validated: true },
    ],
  }],
  [column({ references: { table: "U", column: "ID" } }), {
    foreignKeys: [{
      columns: ["b"],
      references: { schema: "public", table: "u", columns: ["id"] },
      onDelete: "NoAction",
      onUpdate: "NoAction",
      deferrable: "No",
      validated: true,
    }],
  }],
  [{
    schema: "app",
    foreignKeys: [{
      name: "fk",
      columns: ["B", "A"],
      references: { schema: '"Other"', table: "u", columns: ["X", "Y"] },
      onDelete: "SetNull",
      onUpdate: "Cascade",
      deferrable: "InitiallyDeferred",
    }, { columns: ["B"], references: { table: "u", columns: ["x"] }, deferrable: "Never" }],
  }, {
    schema: "app",
    foreignKeys: [{
      name: "fk",
      columns: ["b", "a"],
      references: { schema: "Other", table: "u", columns: ["x", "y"] },
      onDelete: "SetNull",
      onUpdate: "Cascade",
      deferrable: "InitiallyDeferred",
      validated: true,
    }, {
      columns: ["b"],
      references: { schema: "app", table: "u", columns: ["x"] },
      onDelete: "NoAction",
      onUpdate: "NoAction",
      deferrable: "No",
      validated: true,
    }],
  }],
  [{ indexes: [{ columns: ["B", "A"] }] }, {
    indexes: [{
      unique: false,
      nullsNotDistinct: false,
      method: "btree",
      keys: [
        { column: "b", order: "Ascending", nulls: "Last" },
        { column: "a", order: "Ascending", nulls: "Last" },
      ],
      include: [],
      valid: true,
    }],
  }],
  [{
    indexes: [{
      name: "I",
      columns: [{ name: "A", opclass: "text_pattern_ops", order: "Descending", collation: "C" }],
      expressions: ["lower( A )"],
      unique: true,
      include: ["B"],
      where: "B IS NOT NULL",
    }],
  }, {
    indexes: [{
      name: "i",
      unique: true,
      nullsNotDistinct: false,
      method: "btree",
      keys: [
        {
          column: "a",
          opclass: '"pg_catalog"."text_pattern_ops"',
          collation: '"pg_catalog"."C"',
          order: "Descending",
          nulls: "First",
        },
        { expression: "lower(a)", order: "Ascending", nulls: "Last" },
      ],
      include: ["b"],
      where: "b IS NOT NULL",
      valid: true,
    }],
  }],
  // What PostgreSQL would choose anyway is as good as left out.
  [{ indexes: [{ columns: [{ name: "A", opclass: "text_ops", collation: "default", nulls: "Last" }] }] }, {
    indexes: [{
      unique: false,
      nullsNotDistinct: false,
      method: "btree",
      keys: [{ column: "a", order: "Ascending", nulls: "Last" }],
      include: [],
      valid: true,
    }],
  }],
  [{ indexes: [{ method: "GIN", columns: [{ name: "A", opclass: "public.gin_trgm_ops" }] }] }, {
    indexes: [{
      unique: false,
      nullsNotDistinct: false,
      method: "gin",
      keys: [{ column: "a", opclass: '"public"."gin_trgm_ops"', order: "Ascending", nulls: "Last" }],
      include: [],
      valid: true,
    }],
  }],
];

Deno.test("desiredTable() makes a table of every field of a spec", async () => {
  for (const [fields, parts] of TABLES) assertEquals((await desired(fields)).table, { ...TABLE, ...parts });
});

Deno.test("desiredTable() says where each part stands, what is renamed, and how a type is converted", async () => {
  const { paths, columnPaths, renames, using } = await desired({
    columns: [
      { ID: "integer" },
      { A: { type: "text", unique: true, check: "A <> ''", renamedFrom: "OLD", using: "ID :: text" } },
      { B: { type: "integer", references: { table: "u", column: "id" } } },
    ],
    uniqueConstraints: [{ columns: ["A", "B"] }],
    checks: [{ expression: "B > 0" }],
    foreignKeys: [{ columns: ["ID"], references: { table: "u", columns: ["id"] } }],
    indexes: [{ columns: ["B"] }],
  });
  assertEquals(paths, {
    primaryKey: "spec.primaryKey",
    uniques: ["spec.columns[1].A.unique", "spec.uniqueConstraints[0]"],
    checks: ["spec.columns[1].A.check", "spec.checks[0]"],
    foreignKeys: ["spec.columns[2].B.references", "spec.foreignKeys[0]"],
    indexes: ["spec.indexes[0]"],
  });
  assertEquals(columnPaths.get("a"), { path: "spec.columns[1].A", typePath: "spec.columns[1].A.type", key: "A" });
  assertEquals([[...renames], [...using]], [[["a", "old"]], [["a", "id::text"]]]);
});

Deno.test("desiredTable() lists the functions that expressions call, with their fields", async () => {
  const { expressions } = await desired({
    ...column({ defaultExpression: "abs(-1)" }),
    checks: [{ expression: "public.Is_Fine(A)" }],
  });
  assertEquals(expressions.map(({ path, names }) => ({ path, functions: names.functions })), [
    { path: "spec.columns[2].B.defaultExpression", functions: [{ name: "abs" }] },
    { path: "spec.checks[0].expression", functions: [{ schema: "public", name: "is_fine" }] },
  ]);
});

Deno.test("desiredTable() reads the policy of changes in milliseconds", async () => {
  const { changePolicy } = await desired({ changePolicy: { allow: ["DropColumn"], lockTimeoutSeconds: 5 } });
  assertEquals(changePolicy, {
    allow: new Set(["DropColumn"]),
    lockTimeoutMs: 5_000,
    statementTimeoutMs: 60_000,
    online: "Prefer",
  });
});

Deno.test("desiredTable() lists the types that are not PostgreSQL's own, with their fields", async () => {
  const { types } = await desired({
    ...column({ type: "Mood[]" }),
    checks: [{ expression: "A::app.color IS NOT NULL" }],
  });
  assertEquals(types, [
    { path: "spec.columns[2].B.type", type: { name: "mood", typmods: [], isArray: true } },
    { path: "spec.checks[0].expression", type: { schema: "app", name: "color", typmods: [], isArray: false } },
  ]);
});

Deno.test("desiredTable() takes serial for an identity column, and says so", async () => {
  assertEquals((await desired({ columns: [{ ID: "serial" }] })).warnings, [
    "spec.columns[0].ID: serial is taken as {type: integer, identity: ByDefault}: write it so",
  ]);
});

Deno.test("desiredTable() leaves a column undecided that it does not understand", async () => {
  const understood = await understandSpec({
    ...GOOD,
    columns: [{ ID: "integer" }, { A: 5 }, { B: "no type" }, { C: { type: "text", unique: 5 } }],
    uniqueConstraints: [{ columns: ["A", "B"] }],
  });
  assertEquals(understood.errors.map((error) => error.path), [
    "spec.columns[1].A",
    "spec.columns[3].C.unique",
    "spec.columns[2].B",
  ]);
  assertEquals(understood.desired?.undecided, new Set(["a", "b"]));
  assertEquals(understood.desired?.table?.columns.map((each) => each.name), ["id", "c"]);
});

Deno.test("desiredTable() keeps the order of the spec and never mutates it", async () => {
  const spec = Object.freeze({ ...GOOD, columns: Object.freeze([{ Z: "text" }, { ID: "integer" }, { A: "text" }]) });
  const { desired } = await understandSpec(spec);
  assertEquals(desired?.table?.columns.map((each) => each.name), ["z", "id", "a"]);
});
