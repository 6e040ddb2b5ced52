import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects, warningsOf } from "../harness/table_objects.ts";

const operator = await startTestOperator("constraints");
const objects = new TableObjects(operator);

const FULL: SpecPart = {
  tableName: "ORDERS",
  comment: "what customers bought",
  columns: [
    { ID: { type: "bigint", identity: "Always" } },
    { CODE: { type: "varchar(20)", notNull: true, unique: true, collation: "C", comment: "as it is printed" } },
    { AMOUNT: { type: "numeric(10,2)", notNull: true, default: 0, check: "AMOUNT >= 0" } },
    { TAX: { type: "numeric(12,4)", generatedAs: "AMOUNT * 0.19" } },
    { CUSTOMER: { type: "integer", references: { table: "CUSTOMERS", column: "ID", onDelete: "Cascade" } } },
    { SHIPPED: "date" },
    { ORDERED: { type: "timestamptz", notNull: true, defaultExpression: "now()" } },
    { TAGS: { type: "text[]", default: "{}" } },
    { REGION: { type: "text", default: "north", notNull: true } },
  ],
  primaryKey: ["ID"],
  uniqueConstraints: [{ name: "orders_once", columns: ["CUSTOMER", "ORDERED"], nullsNotDistinct: true }],
  checks: [{ name: "shipped_later", expression: "SHIPPED IS NULL OR SHIPPED >= ORDERED::date" }],
  foreignKeys: [{
    name: "orders_region",
    columns: ["REGION"],
    references: { table: "REGIONS", columns: ["NAME"] },
    onUpdate: "Cascade",
    deferrable: "InitiallyDeferred",
  }],
  indexes: [
    { name: "orders_by_date", columns: [{ name: "ORDERED", order: "Descending", nulls: "Last" }], include: ["AMOUNT"] },
    { name: "orders_tags", columns: ["TAGS"], method: "gin" },
    { name: "orders_lower", expressions: ["lower(CODE)"] },
    { name: "orders_open", columns: ["CUSTOMER"], unique: true, where: "SHIPPED IS NULL" },
    { name: "orders_like", columns: [{ name: "CODE", opclass: "varchar_pattern_ops" }] },
  ],
};

const FULL_PARTS = [
  "orders_amount_check: CHECK ((amount >= (0)::numeric))",
  "orders_by_date:  USING btree (ordered DESC NULLS LAST) INCLUDE (amount)",
  "orders_code_key: UNIQUE (code)",
  "orders_customer_fkey: FOREIGN KEY (customer) REFERENCES customers(id) ON DELETE CASCADE",
  "orders_like:  USING btree (code varchar_pattern_ops)",
  "orders_lower:  USING btree (lower((code)::text))",
  "orders_once: UNIQUE NULLS NOT DISTINCT (customer, ordered)",
  "orders_open:  USING btree (customer) WHERE (shipped IS NULL) UNIQUE",
  "orders_pkey: PRIMARY KEY (id)",
  "orders_region: FOREIGN KEY (region) REFERENCES regions(name) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED",
  "orders_tags:  USING gin (tags)",
  "shipped_later: CHECK (((shipped IS NULL) OR (shipped >= (ordered)::date)))",
];

async function commentsOf(table: string): Promise<readonly unknown[]> {
  const rows = await operator.sql(
    `SELECT d.description AS text FROM pg_description d
     WHERE d.objoid = '${table}'::regclass AND d.classoid = 'pg_class'::regclass ORDER BY d.objsubid`,
  );
  return rows.map((row) => row["text"]);
}

Deno.test("a spec that uses every field becomes exactly that table, and its warnings say so", async () => {
  await objects.applied("customers", {});
  await objects.applied("regions", { columns: [{ NAME: "text" }], primaryKey: "NAME" });
  const shown = warningsOf(await objects.applied("orders", FULL)).join("\n");
  for (
    const part of [
      `CREATE TABLE "public"."orders" ("id" bigint GENERATED ALWAYS AS IDENTITY,`,
      `"code" character varying(20) COLLATE "pg_catalog"."C" NOT NULL,`,
      `"tags" text[] DEFAULT '{}'`,
      `CREATE UNIQUE INDEX "orders_open" ON "public"."orders" USING "btree" ("customer") WHERE (`,
      `COMMENT ON TABLE "public"."orders" IS 'what customers bought'`,
      `SHARE ROW EXCLUSIVE lock on public.customers`,
    ]
  ) assertStringIncludes(shown, part);
  assertEquals(await columnsOf(operator, "orders"), [
    "id bigint not null",
    "code character varying(20) not null",
    "amount numeric(10,2) not null default 0",
    "tax numeric(12,4) default (amount * 0.19)",
    "customer integer",
    "shipped date",
    "ordered timestamp with time zone not null default now()",
    "tags text[] default '{}'::text[]",
    "region text not null default 'north'::text",
  ]);
  assertEquals(await objects.partsOf("orders"), FULL_PARTS);
  assertEquals(await commentsOf("orders"), ["what customers bought", "as it is printed"]);
});

Deno.test("the same spec again, and after a restart, runs nothing", async () => {
  const before = await objects.historyOf("orders");
  assertEquals(warningsOf(await objects.accepted("orders", FULL)), []);
  await operator.restart();
  await objects.touch("orders");
  assertEquals(warningsOf(await objects.accepted("orders", { ...FULL, deletionPolicy: "Delete" })), []);
  await objects.applied("settled", {});
  assertEquals(await objects.historyOf("orders"), before);
});

/** One part of a table after the other: what a user writes, and what PostgreSQL then has. */
interface Stage {
  readonly what: string;
  readonly spec: SpecPart;
  readonly columns?: readonly string[];
  readonly parts?: readonly string[];
  readonly comments?: readonly string[];
  /** Part of a warning. */
  readonly shows?: string;
}

const PLAIN = ["id integer not null", "a integer", "b text"];
const KEY = "grown_pkey: PRIMARY KEY (id)";

function grown(more: SpecPart, columns: readonly unknown[] = [{ ID: "integer" }, { A: "integer" }, { B: "text" }]) {
  return { columns, ...more };
}

function withA(a: unknown): SpecPart {
  return grown({}, [{ ID: "integer" }, { A: a }, { B: "text" }]);
}

const STAGES: readonly Stage[] = [
  { what: "a plain table", spec: grown({}), columns: PLAIN, parts: [KEY] },
  {
    what: "a unique constraint",
    spec: grown({ uniqueConstraints: [{ columns: ["A"] }] }),
    parts: ["grown_a_key: UNIQUE (a)", KEY],
  },
  {
    what: "the same constraint with a name",
    spec: grown({ uniqueConstraints: [{ name: "a_once", columns: ["A"] }] }),
    parts: ["a_once: UNIQUE (a)", KEY],
    shows: `RENAME CONSTRAINT "grown_a_key" TO "a_once"`,
  },
  {
    what: "the constraint over other columns",
    spec: grown({ uniqueConstraints: [{ name: "a_once", columns: ["A", "B"] }] }),
    parts: ["a_once: UNIQUE (a, b)", KEY],
  },
  {
    what: "a check beside it",
    spec: grown({
      uniqueConstraints: [{ name: "a_once", columns: ["A", "B"] }],
      checks: [{ name: "a_high", expression: "A > 0" }],
    }),
    parts: ["a_high: CHECK ((a > 0))", "a_once: UNIQUE (a, b)", KEY],
  },
  {
    what: "another condition",
    spec: grown({
      uniqueConstraints: [{ name: "a_once", columns: ["A", "B"] }],
      checks: [{ name: "a_high", expression: "A >= 0" }],
    }),
    parts: ["a_high: CHECK ((a >= 0))", "a_once: UNIQUE (a, b)", KEY],
  },
  {
    what: "neither of them, which is allowed",
    spec: grown({ changePolicy: { allow: ["DropConstraint"] } }),
    parts: [KEY],
  },
  {
    what: "an index",
    spec: grown({ indexes: [{ name: "by_b", columns: ["B"] }] }),
    parts: ["by_b:  USING btree (b)", KEY],
  },
  {
    what: "the index with another name",
    spec: grown({ indexes: [{ name: "by_bb", columns: ["B"] }] }),
    parts: ["by_bb:  USING btree (b)", KEY],
    shows: `ALTER INDEX "public"."by_b" RENAME TO "by_bb"`,
  },
  {
    what: "the index with another method",
    spec: grown({ indexes: [{ name: "by_bb", columns: ["B"], method: "hash" }] }),
    parts: ["by_bb:  USING hash (b)", KEY],
  },
  { what: "no index, which is allowed", spec: grown({ changePolicy: { allow: ["DropIndex"] } }), parts: [KEY] },
  {
    what: "a foreign key",
    spec: grown({ foreignKeys: [{ columns: ["A"], references: { table: "CUSTOMERS", columns: ["ID"] } }] }),
    parts: ["grown_a_fkey: FOREIGN KEY (a) REFERENCES customers(id)", KEY],
  },
  {
    what: "the foreign key, deferred",
    spec: grown({
      foreignKeys: [{
        columns: ["A"],
        references: { table: "CUSTOMERS", columns: ["ID"] },
        deferrable: "InitiallyDeferred",
      }],
    }),
    parts: ["grown_a_fkey: FOREIGN KEY (a) REFERENCES customers(id) DEFERRABLE INITIALLY DEFERRED", KEY],
    shows: `ALTER CONSTRAINT "grown_a_fkey" DEFERRABLE INITIALLY DEFERRED`,
  },
  {
    what: "the foreign key with another action",
    spec: withA({ type: "integer", references: { table: "CUSTOMERS", column: "ID", onDelete: "SetNull" } }),
    parts: ["grown_a_fkey: FOREIGN KEY (a) REFERENCES customers(id) ON DELETE SET NULL", KEY],
  },
  {
    what: "no foreign key, which is allowed",
    spec: grown({ changePolicy: { allow: ["DropConstraint"] } }),
    parts: [KEY],
  },
  {
    what: "NOT NULL and a default",
    spec: withA({ type: "integer", notNull: true, default: 5 }),
    columns: ["id integer not null", "a integer not null default 5", "b text"],
  },
  {
    what: "another default",
    spec: withA({ type: "integer", notNull: true, defaultExpression: "length('four') + 1" }),
    columns: ["id integer not null", "a integer not null default (length('four'::text) + 1)", "b text"],
  },
  { what: "neither of them", spec: grown({}), columns: PLAIN },
  {
    what: "identity",
    spec: withA({ type: "integer", identity: "ByDefault" }),
    columns: ["id integer not null", "a integer not null", "b text"],
    shows: "ADD GENERATED BY DEFAULT AS IDENTITY",
  },
  {
    what: "the other identity",
    spec: withA({ type: "integer", identity: "Always" }),
    columns: ["id integer not null", "a integer not null", "b text"],
    shows: "SET GENERATED ALWAYS",
  },
  { what: "no identity", spec: grown({}), columns: PLAIN },
  {
    what: "a generated column",
    spec: grown({}, [{ ID: "integer" }, { A: "integer" }, { B: "text" }, {
      G: { type: "integer", generatedAs: "A * 2" },
    }]),
    columns: [...PLAIN, "g integer default (a * 2)"],
  },
  {
    what: "another expression for it",
    spec: grown({}, [{ ID: "integer" }, { A: "integer" }, { B: "text" }, {
      G: { type: "integer", generatedAs: "A * 3" },
    }]),
    columns: [...PLAIN, "g integer default (a * 3)"],
  },
  {
    what: "a plain column in its place",
    spec: grown({}, [{ ID: "integer" }, { A: "integer" }, { B: "text" }, { G: "integer" }]),
    columns: [...PLAIN, "g integer"],
  },
  {
    what: "no such column, which is allowed",
    spec: grown({ changePolicy: { allow: ["DropColumn"] } }),
    columns: PLAIN,
  },
  {
    what: "comments",
    spec: grown({ comment: "a table" }, [{ ID: "integer" }, { A: { type: "integer", comment: "it's a" } }, {
      B: "text",
    }]),
    comments: ["a table", "it's a"],
  },
  {
    what: "other comments",
    spec: grown({ comment: "the table" }, [{ ID: "integer" }, { A: { type: "integer", comment: "an a" } }, {
      B: "text",
    }]),
    comments: ["the table", "an a"],
  },
  { what: "no comments", spec: grown({}), comments: [] },
  {
    what: "a collation",
    spec: grown({}, [{ ID: "integer" }, { A: "integer" }, { B: { type: "text", collation: "C" } }]),
    shows: `ALTER COLUMN "b" TYPE text COLLATE "pg_catalog"."C"`,
  },
  { what: "no collation", spec: grown({}), shows: `ALTER COLUMN "b" TYPE text` },
  { what: "another primary key", spec: grown({ primaryKey: ["ID", "A"] }), parts: ["grown_pkey: PRIMARY KEY (id, a)"] },
  { what: "the first primary key", spec: grown({}), columns: PLAIN, parts: [KEY] },
];

async function assertStage({ what, columns, parts, comments }: Stage): Promise<void> {
  if (columns !== undefined) assertEquals(await columnsOf(operator, "grown"), columns, what);
  if (parts !== undefined) assertEquals((await objects.partsOf("grown")).map(withoutNumber), parts, what);
  if (comments !== undefined) assertEquals(await commentsOf("grown"), comments, what);
}

/** A key that is built beside the one that it replaces cannot have that one's name. */
function withoutNumber(part: string): string {
  return part.replace(/^(\w+_pkey)\d+:/, "$1:");
}

async function takeStages(): Promise<void> {
  for (const stage of STAGES) {
    const shown = await objects.applied("grown", stage.spec);
    await assertStage(stage);
    assertStringIncludes(shown.replaceAll("\nWarning:  ", ""), stage.shows ?? "", stage.what);
    assertEquals(warningsOf(await objects.accepted("grown", stage.spec)), [], `${stage.what}, applied again`);
  }
}

Deno.test("every part can be added, changed and removed on an empty table", takeStages);

Deno.test("every part can be added, changed and removed on a filled table", async () => {
  await operator.sql("INSERT INTO customers SELECT generate_series(1, 50)");
  await operator.sql("INSERT INTO grown SELECT i, i, 'row ' || i FROM generate_series(1, 50) AS i");
  // A rewrite of rows must be allowed; that it must is tested elsewhere.
  const before = await operator.sql("SELECT id, a, b FROM grown ORDER BY id");
  for (const stage of STAGES) {
    const { changePolicy } = stage.spec as { changePolicy?: { allow: readonly string[] } };
    const allow = [...changePolicy?.allow ?? [], "RewriteTable"];
    await objects.applied("grown", { ...stage.spec, changePolicy: { allow } });
    await assertStage(stage);
    assertEquals(await operator.sql("SELECT id, a, b FROM grown ORDER BY id"), before, stage.what);
  }
});

Deno.test("a sequence that is added to a filled column starts behind its greatest value", async () => {
  const columns = (identity: SpecPart) => [{ ID: { type: "integer", ...identity } }, { NOTE: "text" }];
  await objects.applied("counted", { columns: columns({}) });
  await operator.sql("INSERT INTO counted VALUES (41, 'last')");
  await objects.applied("counted", { columns: columns({ identity: "Always" }) });
  assertEquals(await operator.sql("INSERT INTO counted (note) VALUES ('next') RETURNING id"), [{ id: 42 }]);
});

Deno.test("what is removed from a spec is named, and every removal is refused at once", async () => {
  const { columns } = FULL as { columns: readonly unknown[] };
  const reasons = await objects.denied("orders", {
    ...FULL,
    columns: columns.slice(0, 8).map((column) => JSON.parse(JSON.stringify(column).replace(`,"unique":true`, ""))),
    checks: [],
    foreignKeys: [],
    indexes: [],
    uniqueConstraints: [],
  });
  const constraint = (path: string, what: string) =>
    `spec.${path}: removing the ${what} gives up what it guarantees: put it back, ` +
    `or allow it with changePolicy.allow: [DropConstraint]`;
  const index = (name: string) =>
    `spec.indexes: removing index "${name}" may make queries slow: put it back, ` +
    `or allow it with changePolicy.allow: [DropIndex]`;
  assertEquals(
    reasons.toSorted(),
    [
      `spec.columns: removing column "region" (text) would drop its data: put it back, ` +
      `or allow it with changePolicy.allow: [DropColumn]`,
      constraint("checks", 'check "shipped_later"'),
      constraint("foreignKeys", 'foreign key "orders_region"'),
      index("orders_by_date"),
      index("orders_like"),
      index("orders_lower"),
      index("orders_open"),
      index("orders_tags"),
      constraint("uniqueConstraints", 'unique constraint "orders_code_key"'),
      constraint("uniqueConstraints", 'unique constraint "orders_once"'),
    ].toSorted(),
  );
  assertEquals(await objects.partsOf("orders"), FULL_PARTS);
});

Deno.test("a removal needs the member of changePolicy.allow that names it, and no other does", async () => {
  const spec = grown({
    checks: [{ name: "a_positive", expression: "A > 0" }],
    indexes: [{ name: "i", columns: ["A"] }],
  });
  await objects.applied("guarded", { ...spec, columns: [{ ID: "integer" }, { A: "integer" }, { B: "text" }] });
  const all = ["DropColumn", "WidenType", "NarrowType", "ChangeType", "DropConstraint", "DropIndex", "RewriteTable"];
  const removals: readonly (readonly [string, SpecPart])[] = [
    ["DropConstraint", { ...spec, checks: [] }],
    ["DropIndex", { ...spec, indexes: [] }],
    ["DropColumn", { ...spec, columns: [{ ID: "integer" }, { A: "integer" }] }],
  ];
  for (const [needed, removed] of removals) {
    const others = all.filter((each) => each !== needed);
    const [reason = ""] = await objects.denied("guarded", { ...removed, changePolicy: { allow: others } });
    assertStringIncludes(reason, `or allow it with changePolicy.allow: [${needed}]`);
    await objects.applied("guarded", { ...removed, changePolicy: { allow: [needed] } });
    await objects.applied("guarded", spec);
  }
  const unknown = await objects.denied("guarded", { ...spec, changePolicy: { allow: ["Everything"] } });
  assertStringIncludes(unknown.join("\n"), `Unsupported value: "Everything"`);
});

Deno.test("the operator stops in order", () => operator.close());
