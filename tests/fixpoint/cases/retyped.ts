import { type FixpointCase, type Spec, table } from "../case.ts";

const ROWS = ["INSERT INTO {t} (id, a, b) SELECT n, n, n FROM generate_series(1, 5) n"];
const T = `ALTER TABLE "t"`;
const SUM = { type: "integer", generatedAs: "A + B", comment: "sum" };

function changed(
  old: Spec,
  next: Spec,
  parts: readonly [Spec, Spec] = [{}, {}],
): Pick<FixpointCase, "old" | "rows" | "next"> {
  return { old: table(old, parts[0]), rows: ROWS, next: table(next, parts[1]) };
}

/** PostgreSQL alters no column from which another one is computed: that one goes, and is computed again. */
const COMPUTED: readonly FixpointCase[] = [
  {
    name: "a type changes from which another column is computed",
    ...changed({ A: "integer", B: "integer", G: SUM }, { A: "bigint", B: "integer", G: { ...SUM, type: "bigint" } }),
    changes: "DropColumn ChangeType AddColumn SetColumnComment",
    statements: [
      `${T} DROP COLUMN "g"`,
      `${T} ALTER COLUMN "a" TYPE bigint`,
      `${T} ADD COLUMN "g" bigint GENERATED ALWAYS AS (a + b) STORED`,
      `COMMENT ON COLUMN "t"."g" IS 'sum'`,
    ],
    becomes: [1, 2, 3, 4, 5].map((n) => ({ id: n, a: n, b: n, g: 2 * n })),
  },
  {
    name: "a length changes from which a renamed column with a check, a key and an index is computed",
    ...changed(
      { A: "varchar(10)", B: "integer", G: { type: "text", generatedAs: "lower(A)", check: "G <> 'x'", unique: true } },
      {
        A: "varchar(20)",
        B: "integer",
        H: { type: "text", renamedFrom: "G", generatedAs: "lower(A)", check: "H <> 'x'", unique: true },
      },
      [{ indexes: [{ columns: ["G", "B"] }] }, { indexes: [{ columns: ["H", "B"] }] }],
    ),
    changes: "RenameColumn DropColumn ChangeType AddColumn AddUnique AddCheck CreateIndex",
  },
  {
    name: "a type changes from which a column was computed that goes",
    ...changed({ A: "integer", B: "integer", G: SUM }, { A: "bigint", B: "integer" }),
    changes: "DropColumn ChangeType",
  },
  {
    name: "a type changes from which a column was computed that keeps its values",
    ...changed({ A: "integer", B: "integer", G: SUM }, { A: "bigint", B: "integer", G: "integer" }),
    changes: "DropExpression ChangeType SetColumnComment",
    becomes: [1, 2, 3, 4, 5].map((n) => ({ id: n, a: n, b: n, g: 2 * n })),
  },
  {
    name: "a collation changes from which another column is computed",
    ...changed({ A: "text", B: "integer", G: { type: "text", generatedAs: "lower(A)" } }, {
      A: { type: "text", collation: "C" },
      B: "integer",
      G: { type: "text", generatedAs: "lower(A)" },
    }),
    changes: "DropColumn SetCollation AddColumn",
  },
  {
    name: "the key is computed from a column that gets another type",
    old: {
      ...table({ A: "integer", B: "integer", G: { type: "integer", generatedAs: "ID * 2" } }),
      primaryKey: ["G", "ID"],
    },
    rows: ROWS,
    next: {
      ...table({ A: "integer", B: "integer" }),
      columns: [
        { ID: "bigint" },
        { A: "integer" },
        { B: "integer" },
        { G: { type: "bigint", generatedAs: "ID * 2" } },
      ],
      primaryKey: "A",
    },
    changes: "DropColumn ChangeType DropNotNull AddColumn AddPrimaryKey",
  },
  {
    name: "an expression changes while the key that it is in moves and another column leaves the key",
    old: {
      ...table({ A: "integer", B: "integer", G: { type: "integer", generatedAs: "ID * 2" } }),
      primaryKey: ["G", "ID"],
    },
    rows: ROWS,
    next: {
      ...table({ A: "integer", B: "integer", G: { type: "integer", generatedAs: "ID * 4" } }),
      primaryKey: "A",
    },
    changes: "DropConstraint DropNotNull SetExpression DropNotNull AddPrimaryKey",
    changesBefore17: "SetExpression DropNotNull DropNotNull AddPrimaryKey",
  },
];

const PARTLY = { indexes: [{ columns: ["A"], where: "A = 'good'" }] };

/** What is stored of a text means nothing, or something else, behind another type. */
const READ_ANEW: readonly FixpointCase[] = [
  {
    name: "text becomes an enum under a default, a check and a condition",
    ...changed(
      { A: { type: "text", default: "good", check: "A <> 'bad'" }, B: "integer" },
      { A: { type: "app.mood", using: "'good'::app.mood", default: "good", check: "A <> 'bad'" }, B: "integer" },
      [PARTLY, PARTLY],
    ),
    changes: "DropConstraint DropIndex ChangeType AddCheck CreateIndex",
  },
  {
    name: "text becomes a number under a named check and a unique index with a condition",
    ...changed({ A: "text", B: "integer" }, { A: { type: "integer", using: "A::integer" }, B: "integer" }, [{
      checks: [{ name: "c", expression: "A <> '0'" }],
      indexes: [{ name: "i", columns: ["B"], where: "A > '5'", unique: true }],
    }, {
      checks: [{ name: "c", expression: "A <> '0'" }],
      indexes: [{ name: "i", columns: ["B"], where: "A > '5'", unique: true }],
    }]),
    changes: "DropConstraint DropIndex ChangeType AddCheck CreateIndex",
  },
  {
    name: "a timestamp gets a time zone under a check",
    old: table({ A: { type: "timestamp", check: "A > '2000-01-01'" }, B: "integer" }),
    rows: ["INSERT INTO {t} VALUES (1, '2020-01-01 10:00', 1)"],
    next: table({ A: { type: "timestamptz", check: "A > '2000-01-01'" }, B: "integer" }),
    changes: "DropConstraint ChangeType AddCheck",
    becomes: [{ id: 1, a: "2020-01-01T10:00:00+00:00", b: 1 }],
  },
  {
    name: "json becomes jsonb under an index by expression, and another index comes",
    ...changed({ A: "json", B: "integer" }, { A: "jsonb", B: "integer" }, [
      { indexes: [{ expressions: ["A->>'k'"] }] },
      { indexes: [{ expressions: ["A->>'k'"] }, { columns: ["A"], method: "gin" }] },
    ]),
    rows: [`INSERT INTO {t} VALUES (1, '{"k": 1}', 1)`],
    changes: "DropIndex ChangeType CreateIndex CreateIndex",
  },
];

const LONG = "x".repeat(63);
const PREFIX = "p".repeat(60);

/** Many changes at once, and names that are hard to write. */
const TANGLED: readonly FixpointCase[] = [
  {
    name: "names of 63 bytes whose generated names are cut alike",
    old: {
      tableName: LONG,
      columns: [{ [`${PREFIX}a`]: "integer" }, { [`${PREFIX}b`]: "integer" }],
      primaryKey: `${PREFIX}a`,
    },
    rows: [`INSERT INTO {s}.${LONG} VALUES (1, 1)`],
    next: {
      tableName: LONG,
      columns: [
        { [`${PREFIX}a`]: { type: "integer", unique: true, check: `${PREFIX}a > 0` } },
        { [`${PREFIX}b`]: { type: "integer", check: `${PREFIX}b > 0` } },
      ],
      primaryKey: `${PREFIX}b`,
      indexes: [{ columns: [`${PREFIX}a`] }, { columns: [`${PREFIX}b`] }, { columns: [`${PREFIX}a`, `${PREFIX}b`] }],
      foreignKeys: [`${PREFIX}a`, `${PREFIX}b`].map((name) => ({
        columns: [name],
        references: { table: LONG, columns: [`${PREFIX}b`] },
      })),
    },
    changes: "DropConstraint DropNotNull AddPrimaryKey AddUnique AddCheck AddCheck AddForeignKey AddForeignKey " +
      "CreateIndex CreateIndex CreateIndex",
  },
  {
    name: "names in two bytes a letter",
    old: { tableName: "é".repeat(31), columns: [{ ID: "integer" }, { ["ü".repeat(31)]: "integer" }], primaryKey: "ID" },
    rows: [`INSERT INTO {s}."${"é".repeat(31)}" VALUES (1, 2)`],
    next: {
      tableName: "é".repeat(31),
      columns: [{ ID: "integer" }, { ["ü".repeat(31)]: { type: "integer", unique: true, notNull: true } }],
      primaryKey: "ID",
      indexes: [{ columns: ["ü".repeat(31)] }, { columns: ["ü".repeat(31), "ID"] }],
    },
    changes: "SetNotNull AddUnique CreateIndex CreateIndex",
  },
  {
    name: "keywords, capitals and spaces as names, with everything on them",
    old: {
      tableName: '"Select"',
      columns: [{ '"Order"': "integer" }, { '"user"': "text" }, { '"a b"': "integer" }],
      primaryKey: '"Order"',
    },
    rows: [`INSERT INTO {s}."Select" VALUES (1, 'x', 2)`],
    next: {
      tableName: '"Select"',
      columns: [
        { '"Order"': "bigint" },
        { '"user"': { type: "text", unique: true, check: `"user" <> '' AND "a b" > 0` } },
        { '"a b"': { type: "integer", defaultExpression: "1 + 2" } },
        { '"From"': { type: "integer", generatedAs: '"a b" * 2' } },
      ],
      primaryKey: ['"Order"', '"user"'],
      indexes: [{ expressions: ['"a b" + 1', 'lower("user")'], where: `"user" LIKE 'a%'` }],
    },
    changes: "DropConstraint ChangeType SetDefault AddColumn AddPrimaryKey AddUnique AddCheck CreateIndex",
  },
  {
    name: "a table is created with comments and a foreign key",
    next: table({
      A: { type: "integer", comment: "c", references: { schema: "app", table: "customers", column: "id" } },
    }, {
      comment: "t",
      indexes: [{ columns: ["A"] }],
    }),
    changes: "CreateTable CreateIndex SetTableComment SetColumnComment AddForeignKey",
  },
  {
    name: "name, types, keys, checks, indexes and comments change at once",
    old: table({
      A: { type: "varchar(5)", notNull: true, default: "1", unique: true, check: "A <> 'zz'", comment: "c" },
      B: { type: "integer", references: { schema: "app", table: "customers", column: "id" } },
      G: { type: "text", generatedAs: "A || 'x'" },
    }, {
      indexes: [{ name: "x", columns: ["A", "B"] }, { columns: ["G"] }, { columns: ["B"], where: "A <> 'q'" }],
      comment: "t",
    }),
    rows: ROWS,
    next: {
      ...table({
        N: { type: "integer", renamedFrom: "A", using: "N::integer", default: 1, check: "N <> 99", comment: "d" },
        B: { type: "bigint", notNull: true, references: { schema: "app", table: "customers", column: "big" } },
        G: { type: "text", generatedAs: "N::text || 'x'", unique: true },
      }, {
        indexes: [{ name: "x", columns: ["B", "N"] }, { columns: ["G"], method: "hash" }, {
          columns: ["B"],
          where: "N <> 7",
        }],
        comment: "u",
      }),
      tableName: "U",
    },
    changes:
      "RenameTable RenameColumn DropColumn DropConstraint DropConstraint DropConstraint DropIndex DropIndex ChangeType " +
      "DropNotNull SetColumnComment ChangeType SetNotNull AddColumn AddUnique AddCheck AddForeignKey CreateIndex CreateIndex " +
      "CreateIndex SetTableComment",
  },
];

export const RETYPED_CASES: readonly FixpointCase[] = [...COMPUTED, ...READ_ANEW, ...TANGLED];
