import { type FixpointCase, type Spec, table } from "../case.ts";

const ROWS = ["INSERT INTO {t} (id, a, b) SELECT n, n, n FROM generate_series(1, 50) n"];
const T = `ALTER TABLE "t"`;
const from = (column: Spec | string, old = "A"): Spec =>
  typeof column === "string" ? { type: column, renamedFrom: old } : { ...column, renamedFrom: old };

function renamed(
  old: Spec,
  next: Spec,
  parts: readonly [Spec, Spec] = [{}, {}],
): Pick<FixpointCase, "old" | "next" | "rows"> {
  return {
    old: table({ A: "integer", B: "integer", ...old }, parts[0]),
    rows: ROWS,
    next: table({ B: "integer", ...next }, parts[1]),
  };
}

const N = { N: from("integer") };

const COLUMNS: readonly FixpointCase[] = [
  {
    name: "a column is renamed",
    ...renamed({}, N),
    changes: "RenameColumn",
    statements: [`${T} RENAME COLUMN "a" TO "n"`],
    hazards: ["BreaksReaders"],
  },
  {
    name: "a rename that is done already",
    old: table({ N: "integer" }),
    next: table({ N: from("integer") }),
    changes: "",
  },
  { name: "a rename on a new table", next: table({ N: from("integer") }), changes: "CreateTable" },
  {
    name: "a column is renamed and gets a wider type",
    ...renamed({}, { N: from("bigint") }),
    changes: "RenameColumn ChangeType",
  },
  {
    name: "a column is renamed and becomes NOT NULL",
    ...renamed({}, { N: from({ type: "integer", notNull: true }) }),
    changes: "RenameColumn SetNotNull",
  },
  {
    name: "a column is renamed with default and comment",
    ...renamed({ A: { type: "integer", default: 3, comment: "c" } }, {
      N: from({ type: "integer", default: 3, comment: "c" }),
    }),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under a check",
    ...renamed({}, N, [{ checks: [{ name: "c", expression: "A > 0 AND A <> B * 100" }] }, {
      checks: [{ name: "c", expression: "N > 0 AND N <> B * 100" }],
    }]),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under an unnamed check",
    ...renamed({ A: { type: "integer", check: "A IN (SELECT_ME, 1)".replace("SELECT_ME", "B") } }, {
      N: from({ type: "integer", check: "N IN (B, 1)" }),
    }),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under an index by expression",
    ...renamed({}, N, [{ indexes: [{ name: "i", expressions: ["abs(A)"], where: "A > 0" }] }, {
      indexes: [{ name: "i", expressions: ["abs(N)"], where: "N > 0" }],
    }]),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under an unnamed index by expression",
    ...renamed({}, N, [{ indexes: [{ expressions: ["abs(A)"], where: "A > 0" }] }, {
      indexes: [{ expressions: ["abs(N)"], where: "N > 0" }],
    }]),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed that an index includes",
    ...renamed({}, N, [{ indexes: [{ columns: ["B"], include: ["A"] }] }, {
      indexes: [{ columns: ["B"], include: ["N"] }],
    }]),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed that another is computed from",
    ...renamed({ G: { type: "integer", generatedAs: "A + 1" } }, {
      ...N,
      G: { type: "integer", generatedAs: "N + 1" },
    }),
    changes: "RenameColumn",
  },
  {
    name: "a generated column is renamed",
    old: table({ A: { type: "integer", generatedAs: "ID + 1" } }),
    rows: ["INSERT INTO {t} (id) VALUES (1)"],
    next: table({ N: from({ type: "integer", generatedAs: "ID + 1" }) }),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under a unique constraint",
    ...renamed({ A: { type: "integer", unique: true } }, { N: from({ type: "integer", unique: true }) }),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed under a foreign key",
    ...renamed({ A: { type: "integer", references: { schema: "app", table: "customers", column: "ID" } } }, {
      N: from({ type: "integer", references: { schema: "app", table: "customers", column: "ID" } }),
    }),
    changes: "RenameColumn",
  },
  {
    name: "the key is renamed",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: {
      tableName: "T",
      columns: [{ NR: from("integer", "ID") }, { A: "integer" }, { B: "integer" }],
      primaryKey: "NR",
    },
    changes: "RenameColumn",
  },
  {
    name: "the key is renamed under a key of the table to itself",
    old: table({ A: { type: "integer", references: { table: "T", column: "ID" } }, B: "integer" }),
    rows: ROWS,
    next: {
      tableName: "T",
      columns: [{ NR: from("integer", "ID") }, { A: { type: "integer", references: { table: "T", column: "NR" } } }, {
        B: "integer",
      }],
      primaryKey: "NR",
    },
    changes: "RenameColumn",
  },
  {
    name: "an identity is renamed",
    old: table({ A: { type: "integer", identity: "ByDefault" }, B: "integer" }),
    rows: ROWS,
    next: table({ N: from({ type: "integer", identity: "ByDefault" }), B: "integer" }),
    changes: "RenameColumn",
  },
  {
    name: "two columns are renamed",
    ...renamed({}, {}),
    next: table({ N: from("integer"), M: from("integer", "B") }),
    changes: "RenameColumn RenameColumn",
  },
  {
    name: "two columns are renamed and become NOT NULL",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: table({ N: from({ type: "integer", notNull: true }), M: from({ type: "integer", notNull: true }, "B") }),
    changes: "RenameColumn RenameColumn SetNotNull SetNotNull",
  },
  {
    name: "two columns are renamed that one check names",
    old: table({ A: "integer", B: "integer" }, { checks: [{ expression: "A + B > 0" }] }),
    rows: ROWS,
    next: table({ N: from("integer"), M: from("integer", "B") }, { checks: [{ expression: "N + M > 0" }] }),
    changes: "RenameColumn RenameColumn",
  },
  {
    name: "a column is renamed and the check over it changes",
    ...renamed({}, N, [{ checks: [{ name: "c", expression: "A > 0" }] }, {
      checks: [{ name: "c", expression: "N > -1" }],
    }]),
    changes: "RenameColumn DropConstraint AddCheck",
  },
  {
    name: "a column is renamed and the check over it gets a name",
    ...renamed({}, N, [{ checks: [{ expression: "A > 0" }] }, { checks: [{ name: "c", expression: "N > 0" }] }]),
    changes: "RenameColumn RenameConstraint",
  },
  {
    name: "a column is renamed and the index over it gets a name",
    ...renamed({}, N, [{ indexes: [{ expressions: ["A + 1"] }] }, {
      indexes: [{ name: "i", expressions: ["N + 1"] }],
    }]),
    changes: "RenameColumn RenameIndex",
  },
  {
    name: "a column is renamed and its default changes",
    ...renamed({ A: { type: "integer", default: 1 } }, { N: from({ type: "integer", default: 2 }) }),
    changes: "RenameColumn SetDefault",
  },
  {
    name: "a column is renamed and an index comes",
    ...renamed({}, N, [{}, { indexes: [{ columns: ["N"] }] }]),
    changes: "RenameColumn CreateIndex",
  },
  {
    name: "a column is renamed and becomes the key",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: { tableName: "T", columns: [{ ID: "integer" }, { N: from("integer") }, { B: "integer" }], primaryKey: "N" },
    changes: "RenameColumn DropConstraint DropNotNull AddPrimaryKey",
    statements: [
      `${T} RENAME COLUMN "a" TO "n"`,
      `${T} ADD CONSTRAINT "tablewright_nn_2" CHECK ("n" IS NOT NULL) NOT VALID`,
      `${T} VALIDATE CONSTRAINT "tablewright_nn_2"`,
      `CREATE UNIQUE INDEX CONCURRENTLY "t_pkey1" ON "t" USING "btree" ("n")`,
      `${T} DROP CONSTRAINT "t_pkey"`,
      `${T} ALTER COLUMN "id" DROP NOT NULL`,
      `${T} ALTER COLUMN "n" SET NOT NULL`,
      `${T} DROP CONSTRAINT "tablewright_nn_2"`,
      `${T} ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey1"`,
    ],
  },
  { name: "a column is renamed and another goes", ...renamed({ C: "text" }, N), changes: "RenameColumn DropColumn" },
  {
    name: "a column is renamed and another comes under its old name",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: table({ N: from("integer"), B: "integer" }),
    changes: "RenameColumn",
  },
  {
    name: "a column is renamed with another type under a check",
    ...renamed({ A: { type: "integer", check: "A IN (1, 2) OR A > 0" } }, {
      N: from({ type: "bigint", check: "N IN (1, 2) OR N > 0" }),
    }),
    changes: "RenameColumn ChangeType",
    printsOther: true,
  },
  {
    name: "a column is renamed with an expression that makes the new type",
    ...renamed({}, { N: { type: "text", renamedFrom: "A", using: "'n' || N" } }),
    changes: "RenameColumn ChangeType",
  },
  {
    name: "a column with quotes is renamed",
    old: table({ '"Old ""x"': "integer", B: "integer" }, { checks: [{ expression: '"Old ""x" > 0' }] }),
    rows: ["INSERT INTO {t} VALUES (1, 1, 1)"],
    next: table({ '"New x"': { type: "integer", renamedFrom: '"Old ""x"' }, B: "integer" }, {
      checks: [{ expression: '"New x" > 0' }],
    }),
    changes: "RenameColumn",
  },
];

const named = (name: string, columns: Spec, more: Spec = {}): Spec => ({ ...table(columns, more), tableName: name });

const TABLES: readonly FixpointCase[] = [
  {
    name: "the table is renamed",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: named("U", { A: "integer", B: "integer" }),
    changes: "RenameTable",
    statements: [`${T} RENAME TO "u"`],
    hazards: ["BreaksReaders"],
  },
  {
    name: "the table is renamed with constraints, indexes and comments",
    old: table({ A: { type: "integer", unique: true, check: "A > 0" }, B: "integer" }, {
      comment: "c",
      indexes: [{ expressions: ["A + 1"] }],
    }),
    rows: ROWS,
    next: named("U", { A: { type: "integer", unique: true, check: "A > 0" }, B: "integer" }, {
      comment: "c",
      indexes: [{ expressions: ["A + 1"] }],
    }),
    changes: "RenameTable",
  },
  {
    name: "the table is renamed and gets a column",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: named("U", { A: "integer", B: "integer", C: "text" }),
    changes: "RenameTable AddColumn",
    statements: [`${T} RENAME TO "u"`, `ALTER TABLE "u" ADD COLUMN "c" text`],
  },
  {
    name: "the table is renamed and gets NOT NULL, a check, an index and a unique constraint",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: named("U", { A: { type: "integer", notNull: true, unique: true }, B: "integer" }, {
      checks: [{ expression: "B > 0" }],
      indexes: [{ columns: ["B"] }],
    }),
    changes: "RenameTable SetNotNull AddUnique AddCheck CreateIndex",
  },
  {
    name: "the table is renamed with a column",
    old: table({ A: "integer", B: "integer" }, { checks: [{ expression: "A > 0" }] }),
    rows: ROWS,
    next: named("U", { N: from("integer"), B: "integer" }, { checks: [{ expression: "N > 0" }] }),
    changes: "RenameTable RenameColumn",
  },
  {
    name: "the table is renamed and refers to itself",
    old: table({ A: { type: "integer", references: { table: "T", column: "ID" } }, B: "integer" }),
    rows: ROWS,
    next: named("U", { A: { type: "integer", references: { table: "U", column: "ID" } }, B: "integer" }),
    changes: "RenameTable",
  },
  {
    name: "the table is renamed and a foreign key comes",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: named("U", {
      A: { type: "integer", references: { schema: "app", table: "customers", column: "ID" } },
      B: "integer",
    }),
    changes: "RenameTable AddForeignKey",
  },
  {
    name: "the table is renamed to a name with quotes",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: named('"U ""v"', { A: "integer", B: "integer" }),
    changes: "RenameTable",
  },
  {
    name: "the table is renamed and another key comes",
    old: table({ A: "integer", B: "integer" }),
    rows: ROWS,
    next: { ...named("U", { A: "integer", B: "integer" }), primaryKey: "A" },
    changes: "RenameTable DropConstraint DropNotNull AddPrimaryKey",
  },
];

export const RENAME_CASES: readonly FixpointCase[] = [...COLUMNS, ...TABLES];
