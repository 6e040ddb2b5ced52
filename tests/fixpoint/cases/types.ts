import type { Hazard } from "../../../postgres/hazard.ts";
import { type FixpointCase, table } from "../case.ts";

/** How dear a change is, as it was measured on 15 and 18. */
type Cost = "none" | "index" | "rewrite";

/** From, to, a value before, the value afterwards (absent: the same), what it costs. */
type TypeStep = readonly [from: string, to: string, cost: Cost, value: string, after?: unknown];

const WIDER: readonly TypeStep[] = [
  ["varchar(10)", "varchar(20)", "none", "'ab'"],
  ["varchar(10)", "varchar", "none", "'ab'"],
  ["varchar(10)", "text", "none", "'ab'"],
  ["varchar", "text", "none", "'ab'"],
  ["text", "varchar", "none", "'ab'"],
  ["numeric(6,2)", "numeric(9,2)", "none", "1.50"],
  ["numeric(6,2)", "numeric", "none", "1.50"],
  ["timestamp(3)", "timestamp(5)", "none", "'2020-01-02 03:04:05.125'"],
  ["timestamp(3)", "timestamp", "none", "'2020-01-02 03:04:05.125'"],
  ["timestamptz(0)", "timestamptz", "none", "'2020-01-02 03:04:05+00'"],
  ["time(3)", "time(6)", "none", "'03:04:05.125'"],
  ["varbit(4)", "varbit(8)", "none", "B'101'"],
  ["varbit(4)", "varbit", "none", "B'101'"],
  ["cidr", "inet", "none", "'10.0.0.0/8'"],
  ["bit(3)", "varbit", "index", "B'101'"],
  ["bit(3)", "varbit(5)", "rewrite", "B'101'"],
  ["smallint", "integer", "rewrite", "7"],
  ["smallint", "bigint", "rewrite", "7"],
  ["integer", "bigint", "rewrite", "7"],
  ["integer", "numeric", "rewrite", "7"],
  ["integer", "numeric(12,2)", "rewrite", "7", 7],
  ["bigint", "numeric(20)", "rewrite", "7"],
  ["real", "double precision", "rewrite", "1.5"],
  ["numeric(6,2)", "numeric(9,4)", "rewrite", "1.50", 1.5],
  ["char(3)", "char(5)", "rewrite", "'ab'", "ab   "],
  ["varchar(3)[]", "varchar(9)[]", "rewrite", "'{ab}'"],
  ["integer[]", "bigint[]", "rewrite", "'{1,2}'"],
];

const NARROWER: readonly TypeStep[] = [
  ["text", "varchar(5)", "rewrite", "'ab'"],
  ["varchar(20)", "varchar(10)", "rewrite", "'ab'"],
  ["bigint", "integer", "rewrite", "7"],
  ["integer", "smallint", "rewrite", "7"],
  ["double precision", "real", "rewrite", "1.5"],
  ["numeric(9,2)", "numeric(6,2)", "rewrite", "1.50"],
  ["numeric(9,4)", "numeric(9,2)", "rewrite", "1.50", 1.5],
  ["numeric", "numeric(6,2)", "rewrite", "1.5", 1.5],
  ["numeric(9,2)", "integer", "rewrite", "7.00", 7],
  ["timestamp", "timestamp(0)", "rewrite", "'2020-01-02 03:04:05'"],
  ["char(5)", "char(2)", "rewrite", "'ab'", "ab"],
  ["varbit(8)", "varbit(4)", "rewrite", "B'101'"],
  ["inet", "cidr", "rewrite", "'10.0.0.0/8'"],
  ["integer", "numeric(5,2)", "rewrite", "7", 7],
];

const OTHER: readonly TypeStep[] = [
  ["timestamp", "timestamptz", "index", "'2020-01-02 03:04:05'", "2020-01-02T03:04:05+00:00"],
  ["timestamptz", "timestamp", "index", "'2020-01-02 03:04:05+00'", "2020-01-02T03:04:05"],
  ["timestamptz", "date", "rewrite", "'2020-01-02 03:04:05+00'", "2020-01-02"],
  ["date", "timestamp", "rewrite", "'2020-01-02'", "2020-01-02T00:00:00"],
  ["integer", "text", "rewrite", "7", "7"],
  ["integer", "double precision", "rewrite", "7", 7],
  ["real", "numeric", "rewrite", "1.5", 1.5],
  ["boolean", "text", "rewrite", "true", "true"],
  ["uuid", "text", "rewrite", "'a0000000-0000-4000-8000-000000000001'"],
  ["json", "jsonb", "rewrite", "'{\"a\": 1}'", { a: 1 }],
  ["jsonb", "json", "rewrite", "'{\"a\": 1}'", { a: 1 }],
  ["char(3)", "varchar(5)", "rewrite", "'ab'", "ab"],
  ["char(3)", "text", "rewrite", "'ab'", "ab"],
  ["varchar(5)", "char(5)", "rewrite", "'ab'", "ab   "],
  ["app.mood", "text", "rewrite", "'good'"],
  ["interval", "text", "rewrite", "'1 day'", "1 day"],
  ["integer[]", "text[]", "rewrite", "'{1,2}'", ["1", "2"]],
];

/** Those that need an expression. */
const USING: readonly (readonly [from: string, to: string, using: string, value: string, after: unknown])[] = [
  ["text", "integer", "A::integer", "'42'", 42],
  ["text", "app.mood", "A::app.mood", "'good'", "good"],
  ["integer", "boolean", "A <> 0", "1", true],
  ["text", "text[]", "string_to_array(A, ',')", "'a,b'", ["a", "b"]],
  ["bigint", "timestamptz", "to_timestamp(A)", "0", "1970-01-01T00:00:00+00:00"],
  ["integer", "bigint", "A * 2", "4", 8],
  ["varchar(5)", "varchar(9)", "upper(A)", "'ab'", "AB"],
  ["text", "varchar(3)", "left(A, 3)", "'abcdef'", "abc"],
  ["text", "jsonb", "to_jsonb(A)", "'x'", "x"],
  ["integer", "uuid", "gen_random_uuid()", "1", undefined],
];

function hazardsOfCost(cost: Cost, keepsValues: boolean): readonly Hazard[] {
  const all: Hazard[] = keepsValues ? [] : ["BreaksReaders", "DropsData", "MayFailOnData"];
  if (cost === "index") all.push("RebuildsIndex");
  if (cost === "rewrite") all.push("RewritesTable");
  return all.toSorted();
}

function typeCase(step: TypeStep, keepsValues: boolean, indexed: boolean): FixpointCase {
  const [from, to, cost, value, after] = step;
  const parts = indexed ? { indexes: [{ name: "by_a", columns: ["A"] }] } : {};
  return {
    name: `${from} becomes ${to}${indexed ? " under an index" : ""}`,
    old: table({ A: from }, parts),
    rows: [`INSERT INTO {t} VALUES (1, ${value}), (2, NULL)`],
    next: table({ A: to }, parts),
    changes: "ChangeType",
    hazards: hazardsOfCost(cost, keepsValues),
    ...(after === undefined ? {} : { becomes: [{ id: 1, a: after }, { id: 2, a: null }] }),
  };
}

const hasIndex = ([from, to]: TypeStep) => !/\bjson\b/.test(`${from} ${to}`);

const MATRIX: readonly FixpointCase[] = [
  ...WIDER.map((step) => typeCase(step, true, false)),
  ...NARROWER.map((step) => typeCase(step, false, false)),
  ...OTHER.map((step) => typeCase(step, false, false)),
  ...[...WIDER.slice(0, 16), ...OTHER.slice(0, 2)].map((step, index) => typeCase(step, index < 16, hasIndex(step))),
];

const BY_EXPRESSION: readonly FixpointCase[] = USING.map(([from, to, using, value, after]) => ({
  name: `${from} becomes ${to} by ${using}`,
  old: table({ A: from }),
  rows: [`INSERT INTO {t} VALUES (1, ${value})`],
  next: table({ A: { type: to, using } }),
  changes: "ChangeType",
  hazards: ["BreaksReaders", "DropsData", "MayFailOnData", "RewritesTable"],
  ...(after === undefined ? {} : { becomes: [{ id: 1, a: after }] }),
}));

const ROWS = ["INSERT INTO {t} VALUES (1, '5'), (2, '6')"];

/** What hangs on the column whose type changes. */
const CARRIED: readonly FixpointCase[] = [
  {
    name: "text becomes a domain over it",
    old: table({ A: "text" }),
    rows: ROWS,
    next: table({ A: "app.word" }),
    changes: "ChangeType",
    darkForecast: true,
  },
  {
    name: "a domain becomes what it is made of",
    old: table({ A: "app.word" }),
    rows: ROWS,
    next: table({ A: "text" }),
    changes: "ChangeType",
    darkForecast: true,
  },
  {
    name: "a collation changes under a foreign key",
    old: table({ A: { type: "text", references: { schema: "app", table: "customers", column: "code" } } }),
    rows: ["INSERT INTO {t} VALUES (1, 'c5')"],
    next: table({
      A: { type: "text", collation: "C", references: { schema: "app", table: "customers", column: "code" } },
    }),
    changes: "SetCollation",
  },
  {
    name: "a type changes under a literal default",
    old: table({ A: { type: "varchar(5)", default: "x" } }),
    rows: ROWS,
    next: table({ A: { type: "text", default: "x" } }),
    changes: "ChangeType",
    statements: [
      `ALTER TABLE "t" ALTER COLUMN "a" DROP DEFAULT, ALTER COLUMN "a" TYPE text, ALTER COLUMN "a" SET DEFAULT 'x'`,
    ],
  },
  {
    name: "a type changes under a default that has no cast",
    old: table({ A: { type: "text", default: "5" } }),
    rows: ROWS,
    next: table({ A: { type: "integer", default: 6, using: "A::integer" } }),
    changes: "ChangeType",
    becomes: [{ id: 1, a: 5 }, { id: 2, a: 6 }],
  },
  {
    name: "a type changes and the default goes",
    old: table({ A: { type: "text", default: "5" } }),
    rows: ROWS,
    next: table({ A: { type: "integer", using: "A::integer" } }),
    changes: "DropDefault ChangeType",
  },
  {
    name: "a type changes and a default comes",
    old: table({ A: "text" }),
    rows: ROWS,
    next: table({ A: { type: "integer", default: 1, using: "A::integer" } }),
    changes: "ChangeType SetDefault",
  },
  {
    name: "a type changes under a check",
    old: table({ A: { type: "integer", check: "A IN (5, 6)" } }),
    rows: ROWS,
    next: table({ A: { type: "bigint", check: "A IN (5, 6)" } }),
    changes: "ChangeType",
    printsOther: true,
  },
  {
    name: "a type changes under a named check",
    old: table({ A: "varchar(5)" }, { checks: [{ name: "c", expression: "A IN ('5', '6')" }] }),
    rows: ROWS,
    next: table({ A: "text" }, { checks: [{ name: "c", expression: "A IN ('5', '6')" }] }),
    changes: "ChangeType",
    printsOther: true,
  },
  {
    name: "a type changes under two unnamed checks",
    old: table({ A: { type: "integer", check: "A > 0" } }, { checks: [{ expression: "A < 10" }] }),
    rows: ROWS,
    next: table({ A: { type: "bigint", check: "A > 0" } }, { checks: [{ expression: "A < 10" }] }),
    changes: "ChangeType",
    printsOther: true,
  },
  {
    name: "a type changes under an index by expression and its condition",
    old: table({ A: "varchar(5)" }, { indexes: [{ expressions: ["lower(A)"], where: "A <> 'x'" }] }),
    rows: ROWS,
    next: table({ A: "text" }, { indexes: [{ expressions: ["lower(A)"], where: "A <> 'x'" }] }),
    changes: "ChangeType",
    printsOther: true,
  },
  {
    name: "a type changes under a unique constraint",
    old: table({ A: { type: "integer", unique: true } }),
    rows: ROWS,
    next: table({ A: { type: "bigint", unique: true } }),
    changes: "ChangeType",
  },
  {
    name: "the type of the key changes",
    old: { ...table({ A: "text" }) },
    rows: ROWS,
    next: { tableName: "T", columns: [{ ID: "bigint" }, { A: "text" }], primaryKey: "ID" },
    changes: "ChangeType",
  },
  {
    name: "a type changes under a foreign key",
    old: table({ A: { type: "integer", references: { schema: "app", table: "customers", column: "id" } } }),
    rows: ROWS,
    next: table({ A: { type: "bigint", references: { schema: "app", table: "customers", column: "id" } } }),
    changes: "ChangeType",
  },
  {
    name: "types of both sides change under a key to the table itself",
    old: table({ A: { type: "integer", references: { table: "T", column: "ID" } } }),
    rows: ["INSERT INTO {t} VALUES (1, 1), (2, 1)"],
    next: {
      ...table({ A: { type: "bigint", references: { table: "T", column: "ID" } } }),
      columns: [{ ID: "bigint" }, { A: { type: "bigint", references: { table: "T", column: "ID" } } }],
    },
    changes: "ChangeType ChangeType",
  },
  {
    name: "a type changes and a check comes that needs it",
    old: table({ A: "text" }),
    rows: ROWS,
    next: table({ A: { type: "integer", using: "A::integer", check: "A > 0" } }),
    changes: "ChangeType AddCheck",
  },
  {
    name: "a type changes and the check changes with it",
    old: table({ A: { type: "text", check: "A <> ''" } }),
    rows: ROWS,
    next: table({ A: { type: "integer", using: "A::integer", check: "A > 0" } }),
    changes: "DropConstraint ChangeType AddCheck",
  },
  {
    name: "a type changes and a partial index changes with it",
    old: table({ A: "text" }, { indexes: [{ name: "i", columns: ["ID"], where: "A <> ''" }] }),
    rows: ROWS,
    next: table({ A: { type: "integer", using: "A::integer" } }, {
      indexes: [{ name: "i", columns: ["ID"], where: "A > 0" }],
    }),
    changes: "DropIndex ChangeType CreateIndex",
  },
  {
    name: "a type changes under a comment",
    old: table({ A: { type: "varchar(5)", comment: "kept" } }),
    rows: ROWS,
    next: table({ A: { type: "text", comment: "kept" } }),
    changes: "ChangeType",
  },
  {
    name: "a type changes with everything on it",
    old: table({
      A: { type: "varchar(5)", notNull: true, default: "5", unique: true, check: "A IN ('5', '6')", comment: "c" },
    }, { indexes: [{ name: "i", expressions: ["upper(A)"] }] }),
    rows: ROWS,
    next: table({
      A: { type: "varchar(9)", notNull: true, default: "5", unique: true, check: "A IN ('5', '6')", comment: "c" },
    }, { indexes: [{ name: "i", expressions: ["upper(A)"] }] }),
    changes: "ChangeType",
    printsOther: true,
  },
  {
    name: "two types change at once",
    old: table({ A: "integer", B: "varchar(3)" }),
    rows: ["INSERT INTO {t} VALUES (1, 2, 'x')"],
    next: table({ A: "bigint", B: "text" }),
    changes: "ChangeType ChangeType",
  },
  {
    name: "a type and nullability change",
    old: table({ A: "integer" }),
    rows: ["INSERT INTO {t} VALUES (1, 2)"],
    next: table({ A: { type: "bigint", notNull: true } }),
    changes: "ChangeType SetNotNull",
  },
  {
    name: "serial on creation is an identity by default",
    next: table({ A: "serial", B: "text" }),
    changes: "CreateTable",
    afterwards: ["INSERT INTO {t} (id) VALUES (1)"],
  },
  {
    name: "a column becomes serial",
    old: table({ A: { type: "integer", notNull: true } }),
    rows: ROWS,
    next: table({ A: "serial" }),
    changes: "AddIdentity",
    afterwards: ["INSERT INTO {t} (id) VALUES (100)"],
  },
];

/** Every common type is created, found again, and no other spelling of it is a change. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ["int2", "smallint"],
  ["int8", "bigint"],
  ["float4", "real"],
  ["float(24)", "real"],
  ["float(53)", "double precision"],
  ["dec(5)", "numeric(5,0)"],
  ["numeric(5)", "numeric(5,0)"],
  ["character(4)", "char(4)"],
  ["char", "character(1)"],
  ["bpchar", "bpchar"],
  ["bit", "bit(1)"],
  ["bit varying(7)", "varbit(7)"],
  ["timetz", "time with time zone"],
  ["timestamp(3) with time zone", "timestamptz(3)"],
  ["time without time zone", "time"],
  ["interval", "interval"],
  ["interval day to second(3)", "interval day to second(3)"],
  ["interval year", "interval year"],
  ["bytea", "bytea"],
  ["xml", "xml"],
  ["money", "money"],
  ["point", "point"],
  ["macaddr", "macaddr"],
  ["tsvector", "tsvector"],
  ["int4range", "int4range"],
  ["int4multirange", "int4multirange"],
  ["oid", "oid"],
  ["name", "name"],
  ["varchar(7)[]", "character varying(7)[]"],
  ["integer ARRAY", "integer[]"],
  ["text[3]", "text[]"],
  ["pg_catalog.int4", "integer"],
  ["jsonb", "jsonb"],
  ["uuid", "uuid"],
  ["numeric(1000,3)", "numeric(1000,3)"],
  ["app.mood[]", "app.mood[]"],
  ["app.word", "app.word"],
  ["national character varying(3)", "varchar(3)"],
];

const CREATED: readonly FixpointCase[] = SPELLINGS.map(([from, to]) => ({
  name: `${from} is ${to}`,
  old: table({ A: from, B: { type: from, notNull: true } }),
  next: table({ A: to, B: { type: to, notNull: true } }),
  changes: "",
}));

export const TYPE_CASES: readonly FixpointCase[] = [...MATRIX, ...BY_EXPRESSION, ...CARRIED, ...CREATED];
