import { allowing, columns, type ParityCase } from "./case.ts";

const LONG = "x".repeat(64);
const NOTE = { NOTE: "text" };

/** What the spec alone decides, and what a changed spec decides against the table. */
export const SPEC_CASES: readonly ParityCase[] = [
  { title: "a table is made", next: columns(NOTE) },
  { title: "nothing changes", old: columns(NOTE), next: columns(NOTE) },
  { title: "a column is added", old: columns(), next: columns(NOTE) },
  { title: "a column is removed", old: columns(NOTE), next: columns(), faults: ["spec.columns"] },
  { title: "a column is removed and allowed", old: columns(NOTE), next: allowing(columns(), "DropColumn") },
  {
    title: "two columns are removed",
    old: columns(NOTE, { B: "date" }),
    next: columns(),
    faults: ["spec.columns", "spec.columns"],
  },
  { title: "a type changes", old: columns(NOTE), next: columns({ NOTE: "date" }), faults: ["spec.columns[1].NOTE"] },
  {
    title: "a type is widened",
    old: columns({ N: "varchar(5)" }),
    next: columns({ N: "text" }),
    faults: ["spec.columns[1].N"],
  },
  {
    title: "a type is widened and allowed",
    old: columns({ N: "varchar(5)" }),
    next: allowing(columns({ N: "text" }), "WidenType"),
  },
  {
    title: "a rewrite needs its own permission",
    old: columns({ N: "integer" }),
    sql: ["INSERT INTO TABLE VALUES (1, 1)"],
    next: allowing(columns({ N: { type: "bigint" } }), "WidenType"),
    faults: ["spec.columns[1].N.type"],
  },
  {
    title: "a column looks renamed",
    old: columns(NOTE),
    next: allowing(columns({ TEXT2: "text" }), "DropColumn"),
    faults: ["spec.columns[1].TEXT2"],
  },
  { title: "a column is renamed", old: columns(NOTE), next: columns({ MEMO: { type: "text", renamedFrom: "NOTE" } }) },
  {
    title: "renamedFrom when both names are there",
    old: columns(NOTE, { MEMO: "text" }),
    next: columns(NOTE, { MEMO: { type: "text", renamedFrom: "NOTE" } }),
    faults: ["spec.columns[2].MEMO.renamedFrom"],
  },
  {
    title: "renamedFrom when neither name is there",
    old: columns(),
    next: columns({ MEMO: { type: "text", renamedFrom: "NOTE" } }),
    faults: ["spec.columns[1].MEMO.renamedFrom"],
  },
  { title: "renamedFrom on a new table", next: columns({ MEMO: { type: "text", renamedFrom: "NOTE" } }) },
  { title: "a name twice", next: columns({ A: "text" }, { a: "text" }), faults: ["spec.columns[2].a"] },
  { title: "a name that is too long", next: columns({ [LONG]: "text" }), faults: [`spec.columns[1].${LONG}`] },
  { title: "an unknown type", next: columns({ A: "interger" }), faults: ["spec.columns[1].A"] },
  { title: "a type that no schema has", next: columns({ A: "public.mood" }), faults: ["spec.columns[1].A"] },
  { title: "a pseudo-type", next: columns({ A: "anyelement" }), faults: ["spec.columns[1].A"] },
  {
    title: "two expressions in one",
    next: { checks: [{ expression: "ID > 0, ID < 9" }] },
    faults: ["spec.checks[0].expression"],
  },
  {
    title: "a sub-select",
    next: { checks: [{ expression: "(SELECT true)" }] },
    faults: ["spec.checks[0].expression"],
  },
  {
    title: "a function that does more than compute",
    next: { checks: [{ expression: "pg_sleep(1) IS NULL" }] },
    faults: ["spec.checks[0].expression"],
  },
  {
    title: "a function that is not there",
    next: { indexes: [{ expressions: ["nowhere(ID)"] }] },
    faults: ["spec.indexes[0].expressions[0]"],
  },
  { title: "a primary key over an unknown column", next: { primaryKey: ["ID", "NO"] }, faults: ["spec.primaryKey"] },
  {
    title: "a unique constraint over an unknown column",
    next: { uniqueConstraints: [{ columns: ["NO"] }] },
    faults: ["spec.uniqueConstraints[0].columns"],
  },
  {
    title: "an index over an unknown column",
    next: { indexes: [{ columns: ["NO"] }] },
    faults: ["spec.indexes[0].columns[0]"],
  },
  {
    title: "a default that is no value of its type",
    next: columns({ A: { type: "integer", default: "abc" } }),
    faults: ["spec.columns[1].A.default"],
  },
  {
    title: "now as a literal",
    next: columns({ A: { type: "timestamptz", default: "now" } }),
    faults: ["spec.columns[1].A.default"],
  },
  {
    title: "a bad type beside a removed column",
    old: columns(NOTE),
    next: columns({ A: "interger" }),
    faults: ["spec.columns", "spec.columns[1].A"],
  },
  {
    title: "several faults of different fields",
    next: { ...columns({ A: "nope" }), checks: [{ expression: "B > 1" }], indexes: [{ columns: ["C"] }] },
    faults: ["spec.checks[0].expression", "spec.columns[1].A", "spec.indexes[0].columns[0]"],
  },
  { title: "a schema that is not there", next: { schema: "nowhere" }, faults: ["spec.schema"] },
  { title: "a schema of PostgreSQL", next: { schema: "pg_catalog" }, faults: ["spec.schema"] },
  {
    title: "a check is removed",
    old: { checks: [{ name: "c1", expression: "ID > 0" }] },
    next: {},
    faults: ["spec.checks"],
  },
  {
    title: "a check is removed and allowed",
    old: { checks: [{ name: "c2", expression: "ID > 0" }] },
    next: allowing({}, "DropConstraint"),
  },
  {
    title: "a check is replaced",
    old: { checks: [{ name: "c3", expression: "ID > 0" }] },
    next: { checks: [{ name: "c3", expression: "ID > 1" }] },
  },
  {
    title: "a unique constraint is removed",
    old: columns({ A: { type: "text", unique: true } }),
    next: columns({ A: "text" }),
    faults: ["spec.uniqueConstraints"],
  },
  {
    title: "an index is removed",
    old: { indexes: [{ name: "parity_i1", columns: ["ID"] }] },
    next: {},
    faults: ["spec.indexes"],
  },
  {
    title: "an index is removed and allowed",
    old: { indexes: [{ name: "parity_i2", columns: ["ID"] }] },
    next: allowing({}, "DropIndex"),
  },
  {
    title: "a default appears and goes",
    old: columns({ A: { type: "text", default: "x" } }),
    next: columns({ A: "text" }),
  },
  {
    title: "the primary key moves",
    old: columns({ A: "integer" }),
    next: { ...columns({ A: "integer" }), primaryKey: "A" },
  },
  { title: "a comment changes", old: { comment: "one" }, next: { comment: "two" } },
  { title: "approval is asked for", next: { approval: "Always" }, reason: "ApprovalRequired" },
  {
    title: "approval of what loses data",
    old: columns(NOTE),
    next: { ...allowing(columns(), "DropColumn"), approval: "Destructive" },
    reason: "ApprovalRequired",
  },
];
