import { assertEquals } from "@std/assert";
import { formatFieldError } from "../../../crds/field_error.ts";
import { understandSpec } from "./understand.ts";

type Fields = Readonly<Record<string, unknown>>;

const GOOD = { tableName: "T", columns: [{ ID: "integer" }, { A: "text" }, { B: "integer" }], primaryKey: "ID" };

async function faults(fields: Fields): Promise<readonly string[]> {
  return (await understandSpec({ ...GOOD, ...fields })).errors.map(formatFieldError);
}

/** A third column beside `ID` and `A`. */
function column(options: Fields): Fields {
  return { columns: [{ ID: "integer" }, { A: "text" }, { B: { type: "integer", ...options } }] };
}

/** One fault each. */
const FAULTS: readonly (readonly [fields: Fields, ...faults: readonly string[]])[] = [
  [{ schema: "pg_catalog" }, "spec.schema: The schema 'pg_catalog' belongs to PostgreSQL"],
  [{ primaryKey: "X" }, 'spec.primaryKey: column "x" is not in spec.columns'],
  [{ primaryKey: "ID, id" }, 'spec.primaryKey: column "id" is named twice'],
  [
    { columns: [{ ID: "integer" }, { id: "text" }] },
    'spec.columns[1].id: column "id" is already defined at spec.columns[0].ID',
  ],
  [
    column({ type: "interger" }),
    // A type of that name may exist: only the catalog knows.
  ],
  [
    column({ type: "text(5)" }),
    "spec.columns[2].B.type: The type text takes nothing in parentheses: write text; for a length write varchar(n)",
  ],
  [
    column({ default: "x".repeat(5_000) }),
    "spec.columns[2].B.default: A default must be at most 4096 characters: it has 5000",
  ],
  [
    column({ type: "text", identity: "Always" }),
    "spec.columns[2].B.identity: needs the type smallint, integer or bigint: current type is text",
  ],
  [
    column({ type: "bigint[]", identity: "Always" }),
    "spec.columns[2].B.identity: needs the type smallint, integer or bigint: current type is bigint[]",
  ],
  [
    column({ type: "serial", default: 1 }),
    "spec.columns[2].B.default: cannot stand beside the type serial: write integer",
  ],
  [
    column({ type: "serial", notNull: false }),
    "spec.columns[2].B.notNull: must be true or left out: serial never holds NULL",
  ],
  [column({ collation: "C" }), "spec.columns[2].B.collation: the type integer has no collation: leave it out"],
  [
    column({ type: "text", collation: "a.b.c" }),
    "spec.columns[2].B.collation: 'a.b.c' must be a name, or a schema and a name with a dot between them",
  ],
  [
    {
      columns: [{ ID: "integer" }, { A: { type: "int", generatedAs: "B + 1" } }, {
        B: { type: "int", generatedAs: "ID" },
      }],
    },
    'spec.columns[1].A.generatedAs: cannot use the column "b", which is generated itself',
  ],
  [
    column({ generatedAs: "B + 1" }),
    'spec.columns[2].B.generatedAs: cannot use the column "b", which is generated itself',
  ],
  [column({ renamedFrom: "b" }), `spec.columns[2].B.renamedFrom: must be another name than the column's own, "b"`],
  [
    column({ renamedFrom: "A" }),
    'spec.columns[2].B.renamedFrom: column "a" is still in spec.columns (spec.columns[1].A): remove it there, or leave ' +
    "renamedFrom out",
  ],
  [
    {
      columns: [{ ID: "integer" }, { A: { type: "int", renamedFrom: "X" } }, { B: { type: "int", renamedFrom: "x" } }],
    },
    'spec.columns[2].B.renamedFrom: column "x" is already renamed at spec.columns[1].A.renamedFrom',
  ],
  [
    { uniqueConstraints: [{ columns: ["A", "X", "a"] }] },
    'spec.uniqueConstraints[0].columns: column "a" is named twice',
  ],
  [
    { uniqueConstraints: [{ columns: ["A", "X"] }] },
    'spec.uniqueConstraints[0].columns: column "x" is not in spec.columns',
  ],
  [
    { checks: [{ name: "a.b", expression: "A = ''" }] },
    "spec.checks[0].name: The name 'a.b' must not hold a dot outside double quotes: to name a schema set spec.schema",
  ],
  [
    { checks: [{ name: "tablewright_nn_1", expression: "A = ''" }] },
    'spec.checks[0].name: a name that begins with "tablewright_" is kept for the operator',
  ],
  [
    column({ references: { schema: "tablewright", table: "epoch", column: "one" } }),
    "spec.columns[2].B.references.schema: The schema 'tablewright' is kept for the operator's own records",
  ],
  [
    column({ references: { table: "t", column: "a" } }),
    'spec.columns[2].B.references: must refer to the primary key or to unique columns: "a" are neither',
  ],
  [
    column({ references: { table: "t", column: "x" } }),
    'spec.columns[2].B.references: column "x" is not in spec.columns',
  ],
  [column({ references: { table: "t", column: "id" } })],
  [{
    foreignKeys: [{ columns: ["B", "A"], references: { table: "T", columns: ["A", "B"] } }],
    uniqueConstraints: [{ columns: ["B", "A"] }],
  }],
  [
    column({ generatedAs: "ID", references: { table: "u", column: "id", onDelete: "SetNull", onUpdate: "Cascade" } }),
    'spec.columns[2].B.references.onDelete: cannot write the generated column "b": choose NoAction or Restrict',
    'spec.columns[2].B.references.onUpdate: cannot write the generated column "b": choose NoAction or Restrict',
  ],
  [{ indexes: [{ columns: ["X"] }] }, 'spec.indexes[0].columns[0]: column "x" is not in spec.columns'],
  [{ indexes: [{ columns: ["A"], include: ["X"] }] }, 'spec.indexes[0].include: column "x" is not in spec.columns'],
  [
    {
      indexes: [{ method: "hash", columns: [{ name: "A", order: "Descending" }, "B"], unique: true, include: ["ID"] }],
    },
    "spec.indexes[0].unique: an index of method hash cannot be unique: only btree can",
    "spec.indexes[0]: an index of method hash has one column or expression only",
    "spec.indexes[0].include: an index of method hash cannot include columns",
    "spec.indexes[0].columns[0].order: an index of method hash has no order: only btree has",
  ],
  [
    { indexes: [{ columns: [{ name: "B", collation: "C" }] }] },
    "spec.indexes[0].columns[0].collation: the type integer has no collation: leave it out",
  ],
  // Names that are there twice.
  [
    {
      checks: [{ name: "x", expression: "A = ''" }],
      indexes: [{ name: "X", columns: ["A"] }, { name: "T", columns: ["B"] }],
    },
    'spec.indexes[0].name: the name "x" is already used at spec.checks[0]',
    `spec.indexes[1].name: "t" is the table's own name`,
  ],
  // Parts that do the same.
  [
    { ...column({ unique: true }), uniqueConstraints: [{ name: "u", columns: ["B"] }] },
    "spec.uniqueConstraints[0]: does the same as spec.columns[2].B.unique: leave one of them out",
  ],
  [
    { uniqueConstraints: [{ columns: ["ID"], nullsNotDistinct: true }] },
    "spec.uniqueConstraints[0]: does the same as spec.primaryKey: leave one of them out",
  ],
  [{
    uniqueConstraints: [{ columns: ["A", "B"] }, { columns: ["B", "A"] }, {
      columns: ["A", "B"],
      nullsNotDistinct: true,
    }],
  }],
  [
    { ...column({ unique: true }), indexes: [{ columns: ["B"], unique: true }] },
    "spec.indexes[0]: does the same as spec.columns[2].B.unique: leave one of them out",
  ],
  [
    { ...column({ check: "B > 0" }), checks: [{ expression: "((b) > 0)" }] },
    "spec.checks[0]: does the same as spec.columns[2].B.check: leave one of them out",
  ],
  [
    {
      ...column({ references: { table: "u", column: "id" } }),
      foreignKeys: [{ columns: ["B"], references: { table: "u", columns: ["ID"] }, onDelete: "Cascade" }],
    },
    "spec.foreignKeys[0]: does the same as spec.columns[2].B.references: leave one of them out",
  ],
  [
    { indexes: [{ name: "i", columns: ["A"] }, { name: "j", columns: [{ name: "A", opclass: "text_ops" }] }] },
    "spec.indexes[1]: does the same as spec.indexes[0]: leave one of them out",
  ],
];

Deno.test("desiredTable() names the exact field of each fault", async () => {
  for (const [fields, ...expected] of FAULTS) assertEquals(await faults(fields), expected);
});

Deno.test("desiredTable() refuses expressions where they stand", async () => {
  const errors = (await understandSpec({
    ...GOOD,
    columns: [
      { ID: { type: "integer", defaultExpression: "B" } },
      { A: { type: "text", check: "(SELECT 1) = 1", using: "X" } },
      { B: { type: "integer", generatedAs: "1; DROP TABLE t" } },
    ],
    checks: [{ expression: "a, b" }],
    indexes: [{ expressions: ["lower(a", "b"], where: "$1" }],
  })).errors;
  assertEquals(errors.map((error) => error.path), [
    "spec.columns[0].ID.defaultExpression",
    "spec.columns[1].A.using",
    "spec.columns[2].B.generatedAs",
    "spec.columns[1].A.check",
    "spec.checks[0].expression",
    "spec.indexes[0].expressions[0]",
    "spec.indexes[0].where",
  ]);
});

Deno.test("desiredTable() bounds the text of all expressions of an object", async () => {
  const expression = `A <> '${"x".repeat(4_000)}'`;
  const checks = Array.from({ length: 20 }, (_, index) => ({ expression: `${expression} OR B = ${index}` }));
  assertEquals(await faults({ checks }), [
    "spec.checks[16].expression: all expressions of one object must be at most 65536 characters",
  ]);
});
