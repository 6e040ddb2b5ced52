import { type FixpointCase, type Spec, table } from "../case.ts";

const NUMBERS = ["INSERT INTO {t} (id, a, b) SELECT n, n, n FROM generate_series(1, 50) n"];
const AB = { A: "integer", B: "integer" };
const T = `ALTER TABLE "t"`;
const NEVER = { changePolicy: { online: "Never" } };

function both(each: FixpointCase): readonly FixpointCase[] {
  const { statements: _online, ...rest } = each;
  return [
    { ...rest, name: `${each.name}, no rows`, rows: [] },
    { ...each, name: `${each.name}, with rows`, rows: each.rows ?? NUMBERS },
    {
      ...rest,
      name: `${each.name}, with rows, never online`,
      rows: each.rows ?? NUMBERS,
      next: { ...each.next, ...NEVER },
    },
  ];
}

function ab(more: Spec, changes: Spec = {}): Spec {
  return table({ ...AB, ...changes }, more);
}

const UNIQUES: readonly FixpointCase[] = [
  ...both({
    name: "a unique constraint comes",
    old: ab({}),
    next: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    changes: "AddUnique",
    hazards: ["MayFailOnData", "ScansUnderLock"],
    statements: [
      `CREATE UNIQUE INDEX CONCURRENTLY "t_a_key" ON "t" USING "btree" ("a")`,
      `${T} ADD CONSTRAINT "t_a_key" UNIQUE USING INDEX "t_a_key"`,
    ],
  }),
  ...both({
    name: "a named unique constraint over two columns comes",
    old: ab({}),
    next: ab({ uniqueConstraints: [{ name: "ab_once", columns: ["A", "B"] }] }),
    changes: "AddUnique",
  }),
  ...both({
    name: "a unique constraint with equal nulls comes",
    old: ab({}),
    next: ab({ uniqueConstraints: [{ columns: ["A"], nullsNotDistinct: true }] }),
    changes: "AddUnique",
  }),
  ...both({
    name: "nulls become equal",
    old: ab({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }),
    next: ab({ uniqueConstraints: [{ name: "u", columns: ["A"], nullsNotDistinct: true }] }),
    changes: "DropConstraint AddUnique",
  }),
  ...both({
    name: "an unnamed unique constraint changes its columns",
    old: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    next: ab({ uniqueConstraints: [{ columns: ["B"] }] }),
    changes: "DropConstraint AddUnique",
  }),
  ...both({
    name: "two unique constraints come",
    old: ab({}),
    next: ab({ uniqueConstraints: [{ columns: ["A"] }, { columns: ["B"] }] }),
    changes: "AddUnique AddUnique",
  }),
  {
    name: "a unique constraint gets a name",
    old: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    rows: NUMBERS,
    next: ab({ uniqueConstraints: [{ name: "once", columns: ["A"] }] }),
    changes: "RenameConstraint",
    statements: [`${T} RENAME CONSTRAINT "t_a_key" TO "once"`],
  },
  {
    name: "a unique constraint changes its name",
    old: ab({ uniqueConstraints: [{ name: "a", columns: ["A"] }] }),
    rows: NUMBERS,
    next: ab({ uniqueConstraints: [{ name: "b", columns: ["A"] }] }),
    changes: "RenameConstraint",
  },
  {
    name: "a unique constraint no longer has a name",
    old: ab({ uniqueConstraints: [{ name: "a", columns: ["A"] }] }),
    rows: NUMBERS,
    next: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    changes: "",
  },
  {
    name: "two unique constraints swap their names",
    old: ab({ uniqueConstraints: [{ name: "x", columns: ["A"] }, { name: "y", columns: ["B"] }] }),
    rows: NUMBERS,
    next: ab({ uniqueConstraints: [{ name: "y", columns: ["A"] }, { name: "x", columns: ["B"] }] }),
    changes: "DropConstraint DropConstraint AddUnique AddUnique",
  },
  {
    name: "a unique constraint goes",
    old: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    rows: NUMBERS,
    next: ab({}),
    changes: "DropConstraint",
    statements: [`${T} DROP CONSTRAINT "t_a_key"`],
    hazards: [],
  },
  {
    name: "unique: true is the same as the list",
    old: ab({}, { A: { type: "integer", unique: true } }),
    next: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    changes: "",
  },
  {
    name: "a unique constraint over a column that comes",
    old: ab({}),
    rows: NUMBERS,
    next: ab({}, { C: { type: "integer", unique: true } }),
    changes: "AddColumn AddUnique",
  },
  {
    name: "a unique index becomes a constraint",
    old: ab({ indexes: [{ name: "u", columns: ["A"], unique: true }] }),
    rows: NUMBERS,
    next: ab({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }),
    changes: "AttachIndex",
  },
  {
    name: "a unique constraint becomes a unique index",
    old: ab({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }),
    rows: NUMBERS,
    next: ab({ indexes: [{ name: "u", columns: ["A"], unique: true }] }),
    changes: "DropConstraint CreateIndex",
  },
];

const KEYS: readonly FixpointCase[] = [
  ...both({
    name: "another key",
    old: ab({}, { A: { type: "integer", notNull: true } }),
    next: { ...ab({}, { A: { type: "integer", notNull: true } }), primaryKey: "A" },
    changes: "DropConstraint DropNotNull AddPrimaryKey",
    statements: [
      `CREATE UNIQUE INDEX CONCURRENTLY "t_pkey1" ON "t" USING "btree" ("a")`,
      `${T} DROP CONSTRAINT "t_pkey"`,
      `${T} ALTER COLUMN "id" DROP NOT NULL`,
      `${T} ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey1"`,
    ],
  }),
  ...both({
    name: "a longer key over a column that may be null",
    old: ab({}),
    next: { ...ab({}), primaryKey: ["ID", "A"] },
    changes: "DropConstraint AddPrimaryKey",
  }),
  ...both({
    name: "a shorter key",
    old: { ...ab({}), primaryKey: ["ID", "A"] },
    next: ab({}),
    changes: "DropConstraint DropNotNull AddPrimaryKey",
  }),
  ...both({
    name: "a shorter key, the column stays NOT NULL",
    old: { ...ab({}), primaryKey: ["ID", "A"] },
    next: ab({}, { A: { type: "integer", notNull: true } }),
    changes: "DropConstraint AddPrimaryKey",
  }),
  ...both({
    name: "the key in another order",
    old: { ...ab({}), primaryKey: ["ID", "A"] },
    next: { ...ab({}), primaryKey: ["A", "ID"] },
    changes: "DropConstraint AddPrimaryKey",
  }),
  {
    name: "the key as a text with a comma is the same as a list",
    old: { ...ab({}), primaryKey: "ID, A" },
    next: { ...ab({}), primaryKey: ["ID", "A"] },
    changes: "",
  },
  {
    name: "key columns say NOT NULL twice",
    old: ab({}),
    rows: NUMBERS,
    next: table({ ID: { type: "integer", notNull: true }, ...AB }),
    changes: "",
  },
  ...both({
    name: "the key moves to a column that was unique",
    old: ab({}, { A: { type: "integer", unique: true } }),
    next: { ...ab({}), primaryKey: "A" },
    changes: "DropConstraint DropConstraint DropNotNull AddPrimaryKey",
  }),
  ...both({
    name: "the key and a unique constraint change places",
    old: ab({}, { A: { type: "integer", notNull: true, unique: true } }),
    next: {
      ...table({ ID: { type: "integer", notNull: true, unique: true }, A: "integer", B: "integer" }),
      primaryKey: "A",
    },
    changes: "DropConstraint DropConstraint AddPrimaryKey AddUnique",
  }),
  {
    name: "the key moves to a column that comes with a default",
    old: ab({}),
    rows: ["INSERT INTO {t} VALUES (1, 1, 1)"],
    next: { ...ab({}, { K: { type: "text", default: "k" } }), primaryKey: "K" },
    changes: "DropConstraint DropNotNull AddColumn AddPrimaryKey",
  },
  {
    name: "the old key column goes with the key",
    old: ab({}, { A: { type: "integer", notNull: true } }),
    rows: NUMBERS,
    next: { tableName: "T", columns: [{ A: "integer" }, { B: "integer" }], primaryKey: "A" },
    changes: "DropConstraint AddPrimaryKey DropColumn",
  },
];

const CHECKS: readonly FixpointCase[] = [
  ...both({
    name: "a check comes",
    old: ab({}),
    next: ab({ checks: [{ name: "c", expression: "A > 0 AND B <= 100" }] }),
    changes: "AddCheck",
    statements: [`${T} ADD CONSTRAINT "c" CHECK (a > 0 AND b <= 100) NOT VALID`, `${T} VALIDATE CONSTRAINT "c"`],
    hazards: ["MayFailOnData", "ScansUnderLock"],
  }),
  ...both({
    name: "an unnamed check comes",
    old: ab({}),
    next: ab({ checks: [{ expression: "A + B > 0" }] }),
    changes: "AddCheck",
  }),
  ...both({
    name: "a check of a column comes",
    old: ab({}),
    next: ab({}, { A: { type: "integer", check: "A BETWEEN 0 AND 99" } }),
    changes: "AddCheck",
  }),
  ...both({
    name: "two unnamed checks come",
    old: ab({}),
    next: ab({ checks: [{ expression: "A > 0" }, { expression: "B > 0" }] }),
    changes: "AddCheck AddCheck",
  }),
  ...both({
    name: "a named check changes",
    old: ab({ checks: [{ name: "c", expression: "A > 0" }] }),
    next: ab({ checks: [{ name: "c", expression: "A > -1" }] }),
    changes: "DropConstraint AddCheck",
  }),
  ...both({
    name: "an unnamed check changes",
    old: ab({ checks: [{ expression: "A > 0" }] }),
    next: ab({ checks: [{ expression: "A > -1" }] }),
    changes: "DropConstraint AddCheck",
  }),
  {
    name: "a check goes",
    old: ab({ checks: [{ expression: "A > 0" }] }),
    rows: NUMBERS,
    next: ab({}),
    changes: "DropConstraint",
    statements: [`${T} DROP CONSTRAINT "t_a_check"`],
  },
  {
    name: "a check gets a name",
    old: ab({ checks: [{ expression: "A > 0" }] }),
    rows: NUMBERS,
    next: ab({ checks: [{ name: "positive", expression: "A > 0" }] }),
    changes: "RenameConstraint",
  },
  {
    name: "a check changes its name",
    old: ab({ checks: [{ name: "a", expression: "A > 0" }] }),
    rows: NUMBERS,
    next: ab({ checks: [{ name: "b", expression: "A > 0" }] }),
    changes: "RenameConstraint",
  },
  {
    name: "two checks swap their names",
    old: ab({ checks: [{ name: "x", expression: "A > 0" }, { name: "y", expression: "B > 0" }] }),
    rows: NUMBERS,
    next: ab({ checks: [{ name: "y", expression: "A > 0" }, { name: "x", expression: "B > 0" }] }),
    changes: "DropConstraint DropConstraint AddCheck AddCheck",
  },
  {
    name: "one of two unnamed checks goes",
    old: ab({ checks: [{ expression: "A > 0" }, { expression: "B > 0" }] }),
    rows: NUMBERS,
    next: ab({ checks: [{ expression: "B > 0" }] }),
    changes: "DropConstraint",
  },
  {
    name: "a check over a column that comes",
    old: ab({}),
    rows: NUMBERS,
    next: ab({}, { C: { type: "integer", notNull: true, default: 1, check: "C > 0" } }),
    changes: "AddColumn AddCheck",
  },
  {
    name: "the order of checks is no change",
    old: ab({ checks: [{ expression: "A > 0" }, { expression: "B > 0" }] }),
    next: ab({ checks: [{ expression: "B > 0" }, { expression: "A > 0" }] }),
    changes: "",
  },
  ...[
    "A IN (1, 2, 3)",
    "A NOT IN (1, 2)",
    "A = ANY (ARRAY[1, 2])",
    "A IS NOT NULL",
    "A IS DISTINCT FROM B",
    "NOT (A > B)",
    "A % 2 = 0 OR B ^ 2 > 4",
    "CASE WHEN A > 1 THEN B > 0 ELSE true END",
    "coalesce(A, 0) >= 0",
    "greatest(A, B) < 1000",
    "A::text ~ '^[0-9]+$'",
    "length(A::text) < 5",
    "A::text LIKE '%1%' ESCAPE '!'",
    "(A, B) <> (1, 2)",
    "A IS NULL = (B IS NULL)",
    "nullif(A, 0) IS NOT NULL",
    "A::numeric(5,2) > 1.5",
    "A BETWEEN SYMMETRIC 5 AND 1",
    "current_date > '2000-01-01'::date",
    "A = -1",
    "A > B - 1 - 2",
    "(A > 0) IS TRUE",
    "A::text = ANY ('{1,2}'::text[])",
    "'x' || A::text <> 'xy'",
    "extract(year FROM now()) > A",
    "A::text COLLATE \"C\" < 'b'",
    "ARRAY[A, B] && ARRAY[1]",
    "interval '1 day' * A > interval '1 hour'",
    "A::bit(8) IS NOT NULL",
    "jsonb_build_object('a', A) ? 'a'",
  ].map((expression): FixpointCase => ({
    name: `CHECK (${expression}) is found again`,
    old: ab({ checks: [{ name: "c", expression }, { expression: `B > 0 AND (${expression})` }] }),
    next: ab({
      checks: [{ name: "c", expression: ` ( ${expression} ) ` }, { expression: `B > 0\n AND (${expression})` }],
    }),
    changes: "",
  })),
];

const TO = { schema: "app", table: "customers" };
const ROWS = ["INSERT INTO {t} SELECT n, n, n FROM generate_series(1, 50) n"];
const key = (more: Spec = {}): Spec => ({
  name: "to_customers",
  columns: ["A"],
  references: { ...TO, columns: ["ID"] },
  ...more,
});

const FOREIGN_KEYS: readonly FixpointCase[] = [
  ...both({
    name: "a foreign key comes",
    old: ab({}),
    next: ab({ foreignKeys: [key()] }),
    changes: "AddForeignKey",
    hazards: ["LocksOtherTable", "MayFailOnData", "ScansUnderLock"],
    statements: [
      `${T} ADD CONSTRAINT "to_customers" FOREIGN KEY ("a") REFERENCES "app"."customers" ("id") NOT VALID`,
      `${T} VALIDATE CONSTRAINT "to_customers"`,
    ],
  }),
  ...both({
    name: "an unnamed foreign key comes",
    old: ab({}),
    next: ab({}, { A: { type: "integer", references: { ...TO, column: "ID" } } }),
    changes: "AddForeignKey",
  }),
  ...both({
    name: "a foreign key over two columns comes",
    old: ab({}),
    next: ab({ foreignKeys: [{ columns: ["A", "B"], references: { ...TO, columns: ["A", "B"] } }] }),
    changes: "AddForeignKey",
  }),
  ...both({
    name: "a foreign key over two columns in another order comes",
    old: ab({}),
    next: ab({ foreignKeys: [{ columns: ["A", "B"], references: { ...TO, columns: ["B", "A"] } }] }),
    changes: "AddForeignKey",
  }),
  ...both({
    name: "two foreign keys come",
    old: ab({}),
    next: ab({ foreignKeys: [key(), { columns: ["B"], references: { ...TO, columns: ["ID"] } }] }),
    changes: "AddForeignKey AddForeignKey",
  }),
  ...both({
    name: "a foreign key to the table itself comes",
    old: ab({}),
    next: ab({}, { A: { type: "integer", references: { table: "T", column: "ID" } } }),
    changes: "AddForeignKey",
  }),
  ...["Restrict", "Cascade", "SetNull", "SetDefault"].flatMap((action): FixpointCase[] => [
    {
      name: `onDelete becomes ${action}`,
      old: ab({ foreignKeys: [key()] }),
      rows: ROWS,
      next: ab({ foreignKeys: [key({ onDelete: action })] }),
      changes: "DropConstraint AddForeignKey",
    },
    {
      name: `onUpdate becomes ${action}`,
      old: ab({ foreignKeys: [key()] }),
      rows: ROWS,
      next: ab({ foreignKeys: [key({ onUpdate: action })] }),
      changes: "DropConstraint AddForeignKey",
    },
    {
      name: `${action} on both is created`,
      next: ab({ foreignKeys: [key({ onUpdate: action, onDelete: action })] }),
      changes: "CreateTable AddForeignKey",
    },
  ]),
  ...["InitiallyImmediate", "InitiallyDeferred"].flatMap((deferrable): FixpointCase[] => [
    {
      name: `a foreign key becomes ${deferrable}`,
      old: ab({ foreignKeys: [key()] }),
      rows: ROWS,
      next: ab({ foreignKeys: [key({ deferrable })] }),
      changes: "AlterDeferrability",
    },
    {
      name: `a foreign key is no longer ${deferrable}`,
      old: ab({ foreignKeys: [key({ deferrable })] }),
      rows: ROWS,
      next: ab({ foreignKeys: [key()] }),
      changes: "AlterDeferrability",
    },
    {
      name: `a foreign key comes ${deferrable}`,
      old: ab({}),
      rows: ROWS,
      next: ab({ foreignKeys: [key({ deferrable, onDelete: "Cascade" })] }),
      changes: "AddForeignKey",
    },
  ]),
  {
    name: "a foreign key to the table itself becomes deferrable",
    old: ab({ foreignKeys: [{ name: "s", columns: ["A"], references: { table: "T", columns: ["ID"] } }] }),
    rows: ["INSERT INTO {t} VALUES (1, 1)"],
    next: ab({
      foreignKeys: [{
        name: "s",
        columns: ["A"],
        references: { table: "T", columns: ["ID"] },
        deferrable: "InitiallyDeferred",
      }],
    }),
    changes: "AlterDeferrability",
  },
  {
    name: "an unnamed foreign key becomes deferrable and gets a name",
    old: ab({ foreignKeys: [{ columns: ["A"], references: { ...TO, columns: ["ID"] } }] }),
    rows: ROWS,
    next: ab({ foreignKeys: [key({ deferrable: "InitiallyDeferred" })] }),
    changes: "RenameConstraint AlterDeferrability",
  },
  {
    name: "a foreign key goes",
    old: ab({ foreignKeys: [key()] }),
    rows: ROWS,
    next: ab({}),
    changes: "DropConstraint",
    statements: [`${T} DROP CONSTRAINT "to_customers"`],
    hazards: ["LocksOtherTable"],
  },
  {
    name: "a foreign key to the table itself goes",
    old: ab({}, { A: { type: "integer", references: { table: "T", column: "ID" } } }),
    rows: ["INSERT INTO {t} VALUES (1, 1)"],
    next: ab({}),
    changes: "DropConstraint",
  },
  {
    name: "a foreign key gets a name",
    old: ab({}, { A: { type: "integer", references: { ...TO, column: "ID" } } }),
    rows: ROWS,
    next: ab({ foreignKeys: [key()] }),
    changes: "RenameConstraint",
  },
  {
    name: "a foreign key refers to other columns",
    old: ab({ foreignKeys: [key()] }),
    rows: ROWS,
    next: ab({ foreignKeys: [key({ references: { ...TO, columns: ["BIG"] } })] }),
    changes: "DropConstraint AddForeignKey",
  },
  {
    name: "a foreign key moves to another column",
    old: ab({ foreignKeys: [key()] }),
    rows: ROWS,
    next: ab({ foreignKeys: [key({ columns: ["B"] })] }),
    changes: "DropConstraint AddForeignKey",
  },
  {
    name: "a column comes with a foreign key",
    old: ab({}),
    rows: ROWS,
    next: ab({}, { C: { type: "integer", references: { ...TO, column: "ID", onDelete: "SetNull" } } }),
    changes: "AddColumn AddForeignKey",
  },
  {
    name: "a key to the table itself on an old unique constraint moves with it",
    old: ab({}, {
      A: { type: "integer", unique: true },
      B: { type: "integer", references: { table: "T", column: "A" } },
    }),
    rows: ["INSERT INTO {t} VALUES (1, 1, 1)"],
    next: ab({}, { B: { type: "integer", references: { table: "T", column: "ID" } } }),
    changes: "DropConstraint DropConstraint AddForeignKey",
  },
  ...both({
    name: "the key that the table's own foreign key needs becomes a unique constraint",
    old: ab({}, {
      A: { type: "integer", notNull: true },
      B: { type: "integer", references: { table: "T", column: "ID" } },
    }),
    next: {
      ...table({
        ID: { type: "integer", unique: true },
        A: "integer",
        B: { type: "integer", references: { table: "T", column: "ID" } },
      }),
      primaryKey: "A",
    },
    changes: "DropConstraint DropConstraint DropNotNull AddPrimaryKey AddUnique AddForeignKey",
    statements: [
      `CREATE UNIQUE INDEX CONCURRENTLY "t_pkey1" ON "t" USING "btree" ("a")`,
      `CREATE UNIQUE INDEX CONCURRENTLY "t_id_key" ON "t" USING "btree" ("id")`,
      `${T} DROP CONSTRAINT "t_b_fkey"`,
      `${T} DROP CONSTRAINT "t_pkey"`,
      `${T} ALTER COLUMN "id" DROP NOT NULL`,
      `${T} ADD CONSTRAINT "t_pkey" PRIMARY KEY USING INDEX "t_pkey1"`,
      `${T} ADD CONSTRAINT "t_id_key" UNIQUE USING INDEX "t_id_key"`,
      `${T} ADD CONSTRAINT "t_b_fkey" FOREIGN KEY ("b") REFERENCES "t" ("id") NOT VALID`,
      `${T} VALIDATE CONSTRAINT "t_b_fkey"`,
    ],
  }),
  ...both({
    name: "a unique index that the table's own foreign key needs becomes a constraint of another kind of null",
    old: ab({ indexes: [{ name: "x", columns: ["A"], unique: true }] }, {
      B: { type: "integer", references: { table: "T", column: "A" } },
    }),
    next: ab({ uniqueConstraints: [{ name: "x", columns: ["A"], nullsNotDistinct: true }] }, {
      B: { type: "integer", references: { table: "T", column: "A" } },
    }),
    changes: "DropConstraint DropIndex AddUnique AddForeignKey",
  }),
  ...both({
    name: "the key that a named foreign key of the table needs moves, and the foreign key gets another name",
    old: ab({ foreignKeys: [{ name: "p", columns: ["B"], references: { table: "T", columns: ["ID"] } }] }, {
      A: { type: "integer", notNull: true },
    }),
    next: {
      ...table({ ID: { type: "integer", unique: true }, A: "integer", B: "integer" }, {
        foreignKeys: [{ name: "q", columns: ["B"], references: { table: "T", columns: ["ID"] } }],
      }),
      primaryKey: "A",
    },
    changes: "DropConstraint DropConstraint DropNotNull AddPrimaryKey AddUnique AddForeignKey",
  }),
  {
    name: "a table is created with keys to itself and to another",
    next: ab({ foreignKeys: [key()] }, { B: { type: "integer", references: { table: "T", column: "ID" } } }),
    changes: "CreateTable AddForeignKey AddForeignKey",
  },
];

/** Names that are free only when something else has gone, and names that PostgreSQL would choose twice. */
const NAMES: readonly FixpointCase[] = [
  ...both({
    name: "a unique constraint takes the name of an index that could become another",
    old: ab({ indexes: [{ name: "x", columns: ["A"], unique: true }] }),
    next: ab({ uniqueConstraints: [{ name: "x", columns: ["B"] }, { name: "y", columns: ["A"] }] }),
    changes: "DropIndex AddUnique AddUnique",
  }),
  ...both({
    name: "a check takes the name of an index that could become a constraint",
    old: ab({ indexes: [{ name: "x", columns: ["A"], unique: true }] }),
    next: ab({ uniqueConstraints: [{ columns: ["A"] }], checks: [{ name: "x", expression: "A > 0" }] }),
    changes: "DropIndex AddUnique AddCheck",
  }),
  ...both({
    name: "a second unnamed check over two columns",
    old: ab({ checks: [{ expression: "A + B > 0" }] }),
    next: ab({ checks: [{ expression: "A + B > 0" }, { expression: "A - B < 10" }] }),
    changes: "AddCheck",
  }),
  ...both({
    name: "an unnamed check over two columns changes",
    old: ab({ checks: [{ expression: "A + B > 0" }] }),
    next: ab({ checks: [{ expression: "A + B > -1" }] }),
    changes: "DropConstraint AddCheck",
  }),
  ...both({
    name: "an unnamed foreign key changes what it does",
    old: ab({}, { A: { type: "integer", references: { ...TO, column: "ID" } } }),
    next: ab({}, { A: { type: "integer", references: { ...TO, column: "ID", onDelete: "Cascade" } } }),
    changes: "DropConstraint AddForeignKey",
  }),
  ...both({
    name: "an unnamed index changes its order",
    old: ab({ indexes: [{ columns: ["A"] }] }),
    next: ab({ indexes: [{ columns: [{ name: "A", order: "Descending" }] }] }),
    changes: "DropIndex CreateIndex",
  }),
  ...both({
    name: "a constraint takes the name of one that goes while a key comes",
    old: ab({ uniqueConstraints: [{ name: "x", columns: ["A"] }, { name: "y", columns: ["B"] }] }, {
      A: { type: "integer", notNull: true },
    }),
    next: {
      ...ab({ uniqueConstraints: [{ name: "x", columns: ["B"] }] }, { A: { type: "integer", notNull: true } }),
      primaryKey: "A",
    },
    changes: "DropConstraint DropConstraint RenameConstraint DropNotNull AddPrimaryKey",
  }),
  ...both({
    name: "an index takes the name of a unique constraint while another comes",
    old: ab({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }),
    next: ab({ uniqueConstraints: [{ columns: ["B"] }], indexes: [{ name: "u", columns: ["A"], unique: true }] }),
    changes: "DropConstraint AddUnique CreateIndex",
  }),
  ...both({
    name: "a check takes the name of a unique constraint while another comes",
    old: ab({ uniqueConstraints: [{ name: "u", columns: ["A"] }] }),
    next: ab({ uniqueConstraints: [{ columns: ["B"] }], checks: [{ name: "u", expression: "A > 0" }] }),
    changes: "DropConstraint AddUnique AddCheck",
  }),
  ...both({
    name: "another key, another unique constraint and an index come at once",
    old: ab({ uniqueConstraints: [{ columns: ["A"] }] }),
    next: {
      ...ab({ uniqueConstraints: [{ columns: ["ID"] }], indexes: [{ columns: ["A", "B"] }] }),
      primaryKey: ["A", "B"],
    },
    changes: "DropConstraint DropConstraint DropNotNull AddPrimaryKey AddUnique CreateIndex",
  }),
  ...both({
    name: "an index gets the name that an unnamed one has",
    old: ab({ indexes: [{ columns: ["A"] }] }),
    next: ab({ indexes: [{ columns: ["A"] }, { name: "T_A_IDX1", columns: ["A", "B"] }] }),
    changes: "CreateIndex",
  }),
  ...both({
    name: "an unnamed index gets a name and another unnamed one takes its old one",
    old: ab({ indexes: [{ columns: ["A"] }] }),
    next: ab({ indexes: [{ name: "i", columns: ["A"] }, { columns: ["A"], where: "B > 0" }] }),
    changes: "RenameIndex CreateIndex",
  }),
];

export const CONSTRAINT_CASES: readonly FixpointCase[] = [...UNIQUES, ...KEYS, ...CHECKS, ...FOREIGN_KEYS, ...NAMES];
