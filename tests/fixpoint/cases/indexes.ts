import { type FixpointCase, type Spec, table } from "../case.ts";

const ROWS = ["INSERT INTO {t} (id, a, b) SELECT n, 'text ' || n, n FROM generate_series(1, 50) n"];
const COLUMNS = { A: "text", B: "integer", C: "text[]", J: "jsonb", P: "point", R: "int4range" };

function indexed(...indexes: readonly Spec[]): Spec {
  return table(COLUMNS, { indexes });
}

const KINDS: readonly (readonly [what: string, index: Spec, statement: string])[] = [
  ["a plain index", { columns: ["A"] }, `"t_a_idx" ON "t" USING "btree" ("a")`],
  ["an index over two columns", { columns: ["A", "B"] }, `"t_a_b_idx" ON "t" USING "btree" ("a", "b")`],
  ["a named index", { name: "by_a", columns: ["A"] }, `"by_a" ON "t" USING "btree" ("a")`],
  ["a falling index", { columns: [{ name: "A", order: "Descending" }] }, `"t_a_idx" ON "t" USING "btree" ("a" DESC)`],
  [
    "a falling index with nulls last",
    { columns: [{ name: "A", order: "Descending", nulls: "Last" }] },
    `"t_a_idx" ON "t" USING "btree" ("a" DESC NULLS LAST)`,
  ],
  [
    "a rising index with nulls first",
    { columns: [{ name: "A", nulls: "First" }, "B"] },
    `"t_a_b_idx" ON "t" USING "btree" ("a" NULLS FIRST, "b")`,
  ],
  [
    "an index with an operator class",
    { columns: [{ name: "A", opclass: "text_pattern_ops" }] },
    `"t_a_idx" ON "t" USING "btree" ("a" "pg_catalog"."text_pattern_ops")`,
  ],
  [
    "an index with the default operator class",
    { columns: [{ name: "A", opclass: "text_ops" }] },
    `"t_a_idx" ON "t" USING "btree" ("a")`,
  ],
  [
    "an index with a collation",
    { columns: [{ name: "A", collation: "C" }] },
    `"t_a_idx" ON "t" USING "btree" ("a" COLLATE "pg_catalog"."C")`,
  ],
  ["a hash index", { columns: ["A"], method: "hash" }, `"t_a_idx" ON "t" USING "hash" ("a")`],
  ["a gin index over an array", { columns: ["C"], method: "gin" }, `"t_c_idx" ON "t" USING "gin" ("c")`],
  ["a gin index over jsonb with an operator class", {
    columns: [{ name: "J", opclass: "jsonb_path_ops" }],
    method: "gin",
  }, `"t_j_idx" ON "t" USING "gin" ("j" "pg_catalog"."jsonb_path_ops")`],
  ["a gist index", { columns: ["P"], method: "gist" }, `"t_p_idx" ON "t" USING "gist" ("p")`],
  ["a spgist index", { columns: ["P"], method: "spgist" }, `"t_p_idx" ON "t" USING "spgist" ("p")`],
  ["a gist index over a range", { columns: ["R"], method: "gist" }, `"t_r_idx" ON "t" USING "gist" ("r")`],
  ["a brin index", { columns: ["B"], method: "brin" }, `"t_b_idx" ON "t" USING "brin" ("b")`],
  ["a unique index", { columns: ["A"], unique: true }, ""],
  ["a partial index", { columns: ["A"], where: "B > 10" }, `"t_a_idx" ON "t" USING "btree" ("a") WHERE (b > 10)`],
  ["a partial unique index", { columns: ["A"], unique: true, where: "B IS NOT NULL AND A IN ('x', 'y')" }, ""],
  [
    "an index that includes",
    { columns: ["A"], include: ["B", "J"] },
    `"t_a_b_j_idx" ON "t" USING "btree" ("a") INCLUDE ("b", "j")`,
  ],
  ["an index by expression", { expressions: ["lower(A)"] }, ""],
  ["an index by column and expression", { columns: ["B"], expressions: ["lower(A)", "B + 1"] }, ""],
  ["a gin index by expression", { expressions: ["to_tsvector('english'::regconfig, A)"], method: "gin" }, ""],
  ["an index by the value of a key in jsonb", { expressions: ["J ->> 'k'"], where: "J ? 'k'" }, ""],
  ["an index by a CASE", { expressions: ["CASE WHEN B > 0 THEN A ELSE '' END"] }, ""],
];

const COME_AND_GO: readonly FixpointCase[] = KINDS.flatMap(([what, index, statement]): FixpointCase[] => [
  { name: `${what} is created with the table`, next: indexed(index), changes: "CreateTable CreateIndex" },
  {
    name: `${what} comes to a table with rows`,
    old: table(COLUMNS),
    rows: ROWS,
    next: indexed(index),
    changes: "CreateIndex",
    hazards: index["unique"] === true ? ["MayFailOnData", "ScansUnderLock"] : ["ScansUnderLock"],
    ...(statement === "" ? {} : { statements: [`CREATE INDEX CONCURRENTLY ${statement}`] }),
  },
  { name: `${what} goes`, old: indexed(index), rows: ROWS, next: table(COLUMNS), changes: "DropIndex", hazards: [] },
]);

const CHANGED: readonly FixpointCase[] = [
  {
    name: "an index comes never online",
    old: table(COLUMNS),
    rows: ROWS,
    next: table(COLUMNS, { indexes: [{ columns: ["A"] }], changePolicy: { online: "Never" } }),
    changes: "CreateIndex",
    statements: [`CREATE INDEX ON "t" USING "btree" ("a")`],
  },
  {
    name: "an index gets a name",
    old: indexed({ columns: ["A"] }),
    rows: ROWS,
    next: indexed({ name: "i", columns: ["A"] }),
    changes: "RenameIndex",
    statements: [`ALTER INDEX "t_a_idx" RENAME TO "i"`],
  },
  {
    name: "an index changes its name",
    old: indexed({ name: "i", columns: ["A"] }),
    rows: ROWS,
    next: indexed({ name: "j", columns: ["A"] }),
    changes: "RenameIndex",
  },
  {
    name: "an index by expression changes its name",
    old: indexed({ name: "i", expressions: ["lower(A)"], where: "A IN ('x')" }),
    rows: ROWS,
    next: indexed({ name: "j", expressions: ["lower(A)"], where: "A IN ('x')" }),
    changes: "RenameIndex",
  },
  {
    name: "an index no longer has a name",
    old: indexed({ name: "i", columns: ["A"] }),
    next: indexed({ columns: ["A"] }),
    changes: "",
  },
  {
    name: "a named index gets another column",
    old: indexed({ name: "i", columns: ["A"] }),
    rows: ROWS,
    next: indexed({ name: "i", columns: ["A", "B"] }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "a named index gets another method",
    old: indexed({ name: "i", columns: ["A"] }),
    rows: ROWS,
    next: indexed({ name: "i", columns: ["A"], method: "hash" }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "a unique index stays until the one in its place is built",
    old: indexed({ name: "i", columns: ["A"], unique: true }),
    rows: ROWS,
    next: indexed({ name: "i", columns: ["A", "B"], unique: true }),
    changes: "DropIndex CreateIndex",
    statements: [
      `CREATE UNIQUE INDEX CONCURRENTLY "t_a_b_idx" ON "t" USING "btree" ("a", "b")`,
      `DROP INDEX "i"`,
      `ALTER INDEX "t_a_b_idx" RENAME TO "i"`,
    ],
  },
  {
    name: "a unique index by expression stays until the one in its place is built",
    old: indexed({ name: "i", expressions: ["lower(A)"], where: "B > 1", unique: true }),
    rows: ROWS,
    next: indexed({ name: "i", expressions: ["upper(A)"], where: "B > 2", unique: true }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "two replaced indexes of which one column goes",
    old: indexed({ name: "i", columns: ["A"], unique: true }, { name: "j", columns: ["B"], where: "B > 1" }),
    rows: ROWS,
    next: table({ B: "integer", C: "text[]", J: "jsonb", P: "point", R: "int4range" }, {
      indexes: [{ name: "j", columns: ["B"], where: "B > 2" }, { name: "i", columns: ["B"], unique: true }],
    }),
    changes: "DropIndex DropIndex CreateIndex CreateIndex DropColumn",
  },
  {
    name: "a named index becomes unique",
    old: indexed({ name: "i", columns: ["A"] }),
    rows: ROWS,
    next: indexed({ name: "i", columns: ["A"], unique: true }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "a condition changes",
    old: indexed({ columns: ["A"], where: "B > 1" }),
    rows: ROWS,
    next: indexed({ columns: ["A"], where: "B > 2" }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "an expression of an index changes",
    old: indexed({ expressions: ["lower(A)"] }),
    rows: ROWS,
    next: indexed({ expressions: ["upper(A)"] }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "an order changes",
    old: indexed({ columns: ["A"] }),
    rows: ROWS,
    next: indexed({ columns: [{ name: "A", order: "Descending" }] }),
    changes: "DropIndex CreateIndex",
  },
  {
    name: "the default order said aloud is no change",
    old: indexed({ columns: ["A"] }),
    next: indexed({ columns: [{ name: "A", order: "Ascending", nulls: "Last" }], method: "btree" }),
    changes: "",
  },
  {
    name: "two indexes swap their names",
    old: indexed({ name: "x", columns: ["A"] }, { name: "y", columns: ["B"] }),
    rows: ROWS,
    next: indexed({ name: "y", columns: ["A"] }, { name: "x", columns: ["B"] }),
    changes: "DropIndex DropIndex CreateIndex CreateIndex",
  },
  {
    name: "two equal indexes under two names",
    old: table(COLUMNS),
    rows: ROWS,
    next: indexed({ name: "x", columns: ["A"] }, { name: "y", columns: ["B"] }),
    changes: "CreateIndex CreateIndex",
  },
  {
    name: "three unnamed indexes by expression come",
    old: table(COLUMNS),
    rows: ROWS,
    next: indexed({ expressions: ["lower(A)"] }, { expressions: ["upper(A)"] }, { columns: ["A"], where: "B > 0" }),
    changes: "CreateIndex CreateIndex CreateIndex",
  },
  {
    name: "three unnamed indexes by expression are created",
    next: indexed({ expressions: ["lower(A)"] }, { expressions: ["upper(A)"] }, { columns: ["A"], where: "B > 0" }),
    changes: "CreateTable CreateIndex CreateIndex CreateIndex",
  },
  {
    name: "an index over a column that comes",
    old: table({ A: "text", B: "integer" }),
    rows: ROWS,
    next: table({ A: "text", B: "integer", N: { type: "integer", default: 1 } }, { indexes: [{ columns: ["N"] }] }),
    changes: "AddColumn CreateIndex",
  },
  {
    name: "a covering index with a condition that uses an enum",
    old: table({ A: "text", B: "integer", M: { type: "app.mood", default: "good" } }),
    rows: ROWS,
    next: table({ A: "text", B: "integer", M: { type: "app.mood", default: "good" } }, {
      indexes: [{ columns: ["B"], include: ["A"], where: "M = 'good'" }],
    }),
    changes: "CreateIndex",
  },
];

export const INDEX_CASES: readonly FixpointCase[] = [...COME_AND_GO, ...CHANGED];
