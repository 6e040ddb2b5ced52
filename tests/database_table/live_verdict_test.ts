import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects, warningsOf } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("live-verdicts");
const { kubectl } = operator;
const objects = new TableObjects(operator);

/** Stands in many rows; no user may ever read it anywhere but in the table. */
const SECRET = "hunter2-0xC0FFEE";
/** Everything that kubectl printed. */
const printed: string[] = [];

function withColumn(column: unknown, more: SpecPart = {}): SpecPart {
  return { columns: [{ ID: "integer" }, { EMAIL: column }], ...more };
}

async function denied(name: string, spec: SpecPart): Promise<readonly string[]> {
  const reasons = await objects.denied(name, spec);
  printed.push(...reasons);
  return reasons;
}

/** A table with `email` and 40 rows: 12 without a value, 8 with the secret, the rest all different. */
async function filled(name: string, column: unknown = "text"): Promise<void> {
  await objects.applied(name, withColumn(column));
  await operator.sql(
    `INSERT INTO ${name.replaceAll("-", "_")} SELECT i,
       CASE WHEN i <= 12 THEN NULL WHEN i <= 20 THEN '${SECRET}' ELSE 'row ' || i END FROM generate_series(1, 40) AS i`,
  );
}

Deno.test("NOT NULL over rows without a value is denied with their number", async () => {
  await filled("nulls");
  assertEquals(await denied("nulls", withColumn({ type: "text", notNull: true })), [
    "spec.columns[1].EMAIL: 12 rows have no value for email",
  ]);
  assertEquals(await denied("nulls", withColumn("text", { primaryKey: ["EMAIL"] })), [
    "spec.primaryKey: 12 rows have no value for email",
    "spec.primaryKey: 1 value of email occurs more than once",
  ]);
});

Deno.test("UNIQUE over values that occur twice is denied with the number of values", async () => {
  await filled("duplicates");
  const reason = "1 value of email occurs more than once";
  const cases: readonly (readonly [string, SpecPart])[] = [
    ["spec.columns[1].EMAIL.unique", withColumn({ type: "text", unique: true })],
    ["spec.uniqueConstraints[0]", withColumn("text", { uniqueConstraints: [{ columns: ["EMAIL"] }] })],
    ["spec.indexes[0]", withColumn("text", { indexes: [{ columns: ["EMAIL"], unique: true }] })],
  ];
  for (const [path, spec] of cases) assertEquals(await denied("duplicates", spec), [`${path}: ${reason}`]);
  // The same columns with the key are unique already.
  await objects.applied("duplicates", withColumn("text", { uniqueConstraints: [{ columns: ["EMAIL", "ID"] }] }));
});

Deno.test("a narrower type is denied with the length of the longest value", async () => {
  await filled("narrow");
  const changePolicy = { allow: ["NarrowType", "RewriteTable"] };
  assertEquals(await denied("narrow", withColumn("varchar(10)", { changePolicy })), [
    `spec.columns[1].EMAIL: the longest value of email has ${SECRET.length} characters`,
  ]);
  await objects.applied("narrow", withColumn(`varchar(${SECRET.length})`, { changePolicy }));
  await objects.applied("numbers", { columns: [{ ID: "integer" }, { N: "bigint" }] });
  await operator.sql("INSERT INTO numbers VALUES (1, 3000000000), (2, 7)");
  assertEquals(await denied("numbers", { columns: [{ ID: "integer" }, { N: "integer" }], changePolicy }), [
    "spec.columns[1].N: 1 value of n does not fit integer",
  ]);
});

Deno.test("a foreign key is denied with the number of rows that refer to nothing", async () => {
  await objects.applied("people", { columns: [{ NAME: "text" }], primaryKey: "NAME" });
  await operator.sql("INSERT INTO people SELECT 'row ' || i FROM generate_series(1, 38) AS i");
  await filled("letters");
  const spec = withColumn({ type: "text", references: { table: "people", column: "NAME" } });
  assertEquals(await denied("letters", spec), [
    "spec.columns[1].EMAIL.references: 10 rows refer to no row of public.people",
  ]);
});

Deno.test("a new column that refuses NULL and has no default is denied on a table with rows", async () => {
  await filled("added");
  const added = { columns: [{ ID: "integer" }, { EMAIL: "text" }, { AGE: { type: "integer", notNull: true } }] };
  const [reason = "", ...rest] = await denied("added", added);
  assertEquals(rest, []);
  assertStringIncludes(reason, "spec.columns[2].AGE: ");
  assertStringIncludes(reason, "no value for age");
  await operator.sql("TRUNCATE added");
  await objects.applied("added", added);
});

Deno.test("a check that rows break is a condition, and becomes Ready when they are mended", async () => {
  await filled("checked");
  await objects.accepted(
    "checked",
    withColumn("text", { checks: [{ name: "short", expression: "length(EMAIL) < 10" }] }),
  );
  const message = await objects.message("checked", "ApplyFailed");
  assertStringIncludes(message, "short");
  assertEquals(message.includes(SECRET), false, message);
  await operator.sql("UPDATE checked SET email = 'mended' WHERE length(email) >= 10");
  await objects.touch("checked");
  await objects.ready("checked");
  assertStringIncludes((await objects.partsOf("checked")).join("\n"), "short: CHECK ((length(email) < 10))");
});

Deno.test("a table that somebody has locked is a warning, never a wait", async () => {
  await filled("locked");
  const release = await holdLock("locked");
  try {
    const started = performance.now();
    const { code, stderr } = await kubectl.apply(
      objects.manifest("locked", withColumn({ type: "text", notNull: true })),
      "--dry-run=server",
    );
    assertEquals(code, 0, stderr);
    assertEquals(performance.now() - started < 20_000, true);
    const [first = "", ...plan] = warningsOf(stderr);
    assertStringIncludes(
      first,
      "table public.locked, or the catalog of the database, is locked by another session: this plan",
    );
    assertStringIncludes(plan.join("\n"), `ALTER COLUMN "email" SET NOT NULL`);
    assertEquals(plan.join("\n").includes("PRIMARY KEY"), false, "planned what is there");
  } finally {
    await release();
  }
});

/** Another session holds the table until the returned function is called. */
async function holdLock(table: string): Promise<() => Promise<void>> {
  const block = `DO $$ BEGIN LOCK TABLE ${table}; PERFORM pg_sleep(600); END $$`;
  const ended = operator.sql(block).catch(() => undefined);
  const pid = await eventually(`${table} is locked`, async () => {
    const [row] = await operator.sql(
      `SELECT pid FROM pg_locks WHERE relation = '${table}'::regclass AND mode = 'AccessExclusiveLock' AND granted`,
    );
    return row?.["pid"];
  });
  return async () => {
    await operator.sql(`SELECT pg_cancel_backend(${pid})`);
    await ended;
  };
}

Deno.test("what others made of a column keeps it: a drop and a new type are denied, naming them", async () => {
  await filled("used");
  await operator.sql("CREATE VIEW reading AS SELECT email FROM used");
  await operator.sql("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  await operator.sql("CREATE TRIGGER watching BEFORE UPDATE OF email ON used FOR EACH ROW EXECUTE FUNCTION nothing()");
  await operator.sql("CREATE INDEX by_hand ON used (email)");
  const allow = ["DropColumn", "ChangeType", "WidenType", "NarrowType", "RewriteTable"];
  const [drop = ""] = await denied("used", { columns: [{ ID: "integer" }], changePolicy: { allow } });
  for (
    const part of [
      `spec.columns: column "email" cannot be dropped`,
      "view public.reading",
      "trigger watching",
      "index by_hand",
    ]
  ) {
    assertStringIncludes(drop, part);
  }
  const [retype = ""] = await denied("used", withColumn("varchar(90)", { changePolicy: { allow } }));
  for (
    const part of [`spec.columns[1].EMAIL: column "email" cannot change`, "view public.reading", "trigger watching"]
  ) {
    assertStringIncludes(retype, part);
  }
  assertEquals(retype.includes("by_hand"), false);
});

Deno.test("the loop asks the same when no webhook did", async () => {
  await filled("unasked");
  await operator.restart(["--webhooks=off"]);
  await objects.accepted("unasked", withColumn({ type: "text", notNull: true }));
  assertStringIncludes(
    await objects.message("unasked", "PlanRefused"),
    "spec.columns[1].EMAIL: 12 rows have no value for email",
  );
  await operator.sql("CREATE VIEW loop_reading AS SELECT email FROM unasked");
  await objects.accepted("unasked", { columns: [{ ID: "integer" }], changePolicy: { allow: ["DropColumn"] } });
  assertStringIncludes(await objects.message("unasked", "PlanRefused"), "view public.loop_reading");
  assertEquals(await columnsOf(operator, "unasked"), ["id integer not null", "email text"]);
  await operator.restart();
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["query_to_xml('SELECT 1', true, true, '') IS NOT NULL", "reads whole tables"],
  ["pg_sleep(100) IS NULL", "volatile"],
  ["nextval('public.some_seq') > 0", "belongs to a sequence"],
  ["public.mine(ID) > 0", "neither PostgreSQL's own nor an extension's"],
  ["(SELECT true)", ""],
  ["EXISTS (SELECT FROM pg_authid)", ""],
  ["true; DROP TABLE refused", ""],
  ["true) , ADD COLUMN x text, ADD CHECK (true", ""],
  ["count(*) > 0", ""],
  ["NO_SUCH_COLUMN > 0", ""],
  ["$1 > 0", ""],
  ["no_such_function(ID) > 0", "There is no function no_such_function()"],
];

Deno.test("expressions that do more than compute are denied at kubectl, each with its path", async () => {
  await operator.sql("CREATE FUNCTION mine(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 1'");
  await operator.sql("CREATE SEQUENCE some_seq");
  const fields: readonly (readonly [string, (sql: string) => SpecPart])[] = [
    ["spec.checks[0].expression", (expression) => ({ checks: [{ expression }] })],
    ["spec.indexes[0].where", (where) => ({ indexes: [{ columns: ["ID"], where }] })],
    [
      "spec.columns[1].G.generatedAs",
      (sql) => ({ columns: [{ ID: "integer" }, { G: { type: "boolean", generatedAs: sql } }] }),
    ],
  ];
  for (const [sql, why] of REFUSED) {
    for (const [path, part] of fields) {
      const reasons = (await denied("refused", part(sql))).join("\n");
      assertStringIncludes(reasons, `${path}: `);
      assertStringIncludes(reasons, why);
    }
  }
  assertEquals(await columnsOf(operator, "refused"), []);
});

Deno.test("the loop refuses the same expressions when no webhook did", async () => {
  await operator.restart(["--webhooks=off"]);
  for (const [index, [expression, why]] of REFUSED.entries()) {
    const name = `loop-${index}`;
    await objects.accepted(name, { checks: [{ expression }] });
    const { conditions } = await stalled(name);
    assertStringIncludes(conditions, "spec.checks[0].expression: ");
    assertStringIncludes(conditions, why);
    assertEquals(await columnsOf(operator, `loop_${index}`), []);
  }
  await operator.restart();
});

async function stalled(name: string): Promise<{ conditions: string }> {
  await kubectl.ok(["wait", "--for=condition=Stalled", `databasetable/${name}`, "--timeout=30s"]);
  const object = await kubectl.get("databasetable", name) as { status: { conditions: { message: string }[] } };
  return { conditions: object.status.conditions.map(({ message }) => message).join("\n") };
}

Deno.test("--allow-function opens one function, for the webhook and the loop, and no other", async () => {
  await operator.sql("CREATE FUNCTION public.slug(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)'");
  await operator.sql("CREATE FUNCTION public.other(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'");
  const calling = (name: string) => ({
    columns: [{ ID: "integer" }, { NOTE: "text" }],
    checks: [{ expression: `public.${name}(NOTE) = NOTE` }],
  });
  const hint = "--allow-function public.slug would allow it";
  assertStringIncludes((await denied("allowed", calling("slug"))).join("\n"), hint);
  await operator.restart(["--allow-function", "public.slug"]);
  assertStringIncludes((await denied("allowed", calling("other"))).join("\n"), "--allow-function public.other");
  await objects.applied("allowed", calling("slug"));
  assertStringIncludes((await objects.partsOf("allowed")).join("\n"), "slug(note)");
  await operator.restart();
});

Deno.test("a comment in an expression never reaches PostgreSQL", async () => {
  const expression = "ID > 0 /* a ); DROP TABLE x; */ -- b";
  const shown = await objects.applied("commented", { checks: [{ expression }] });
  assertStringIncludes(shown, "CHECK (id > 0)");
  assertEquals((await objects.historyOf("commented")).join("\n").includes("DROP"), false);
});

/** PostgreSQL prints each of these otherwise than it was written. */
const REPRINTED: SpecPart = {
  columns: [
    { ID: "integer" },
    {
      A: { type: "varchar(20)", defaultExpression: "upper('x' || 1::text)", check: "A IN ('X1', 'b') OR A LIKE 'c%'" },
    },
    { B: { type: "numeric", check: "B BETWEEN 1 AND 10 AND NOT B = 5" } },
    { C: { type: "timestamptz", defaultExpression: "current_timestamp" } },
    { D: { type: "date", check: "EXTRACT(year FROM D) >= 2000" } },
    { E: { type: "text", generatedAs: "coalesce(A, '') || CASE WHEN B > 5 THEN 'high' ELSE 'low' END" } },
    { F: { type: "integer[]", check: "cardinality(F) < 3 AND 1 = ANY (F)" } },
    { G: { type: "interval", defaultExpression: "interval '1 day' * 2" } },
    { H: { type: "jsonb", check: "H ? 'a' OR H->>'b' IS NULL" } },
    { I: { type: "boolean", check: "I IS NOT FALSE" } },
    { J: { type: "uuid", defaultExpression: "gen_random_uuid()" } },
  ],
  checks: [{ expression: "(A, B) IS DISTINCT FROM ('q', 1)" }, {
    expression: "trim(both from A) <> '' AND substring(A from 1 for 2) <> 'zz'",
  }],
  indexes: [
    { expressions: ["lower(A)", "B * 2"], where: "A IS NOT NULL AND B > -1" },
    { columns: ["A"], expressions: ["date_trunc('day', C AT TIME ZONE 'UTC')"] },
  ],
};

Deno.test("expressions that PostgreSQL prints otherwise are planned once", async () => {
  await objects.applied("reprinted", REPRINTED);
  const history = await objects.historyOf("reprinted");
  assertEquals(warningsOf(await objects.accepted("reprinted", { ...REPRINTED, deletionPolicy: "Retain" })), []);
  await objects.ready("reprinted");
  await operator.restart();
  assertEquals(warningsOf(await objects.accepted("reprinted", { ...REPRINTED, deletionPolicy: "Delete" })), []);
  await objects.touch("reprinted");
  await objects.ready("reprinted");
  await objects.applied("settled", {});
  assertEquals(await objects.historyOf("reprinted"), history);
});

Deno.test("an expression keeps what it was when its columns are renamed", async () => {
  const named = (a: string, from: SpecPart = {}): SpecPart => ({
    columns: [{ ID: "integer" }, { [a]: { type: "text", check: `lower(${a}) IN ('x', 'y')`, ...from } }],
    indexes: [{ expressions: [`upper(${a})`], where: `${a} <> ''` }],
  });
  await objects.applied("expressions", named("A"));
  await objects.applied("expressions", named("B", { renamedFrom: "A" }));
  const history = await objects.historyOf("expressions");
  assertEquals(history.length, 3, history.join("\n"));
  await operator.restart();
  assertEquals(warningsOf(await objects.accepted("expressions", { ...named("B"), deletionPolicy: "Delete" })), []);
  await objects.applied("settled-again", {});
  assertEquals(await objects.historyOf("expressions"), history);
});

Deno.test("no value of any row was printed, nor stands in a status or an event", async () => {
  const said = printed.join("\n") + await objects.everythingSaid();
  assertEquals(said.includes(SECRET), false);
});

Deno.test("the operator stops in order", () => operator.close());
