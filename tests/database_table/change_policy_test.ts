import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects, warningsOf } from "../harness/table_objects.ts";

const operator = await startTestOperator("change-policy");
const objects = new TableObjects(operator);

const KINDS = ["WidenType", "NarrowType", "ChangeType"] as const;
type Kind = (typeof KINDS)[number];

interface TypeCase {
  readonly from: string;
  readonly to: string;
  readonly kind: Kind;
  readonly rewrites: boolean;
  /** SQL of a value that is the same text before and after. */
  readonly value: string;
  readonly using?: string;
}

const TYPE_CASES: readonly TypeCase[] = [
  { from: "varchar(20)", to: "varchar(50)", kind: "WidenType", rewrites: false, value: "'abc'" },
  { from: "varchar(20)", to: "text", kind: "WidenType", rewrites: false, value: "'abc'" },
  { from: "numeric(8,2)", to: "numeric(12,2)", kind: "WidenType", rewrites: false, value: "1.50" },
  { from: "integer", to: "bigint", kind: "WidenType", rewrites: true, value: "7" },
  { from: "text", to: "varchar(20)", kind: "NarrowType", rewrites: true, value: "'abc'" },
  { from: "varchar(50)", to: "varchar(20)", kind: "NarrowType", rewrites: true, value: "'abc'" },
  { from: "bigint", to: "integer", kind: "NarrowType", rewrites: true, value: "7" },
  { from: "integer", to: "text", kind: "ChangeType", rewrites: true, value: "7" },
  { from: "text", to: "integer", kind: "ChangeType", rewrites: true, value: "'7'", using: "V::integer" },
  { from: "timestamp", to: "timestamptz", kind: "ChangeType", rewrites: false, value: "NULL" },
];

function typed(type: string, more: SpecPart = {}): SpecPart {
  return { columns: [{ ID: "integer" }, { V: { type, ...more } }] };
}

async function assertNeeded(name: string, spec: SpecPart, needed: readonly string[]): Promise<void> {
  // Of one that is needed, all but one are none.
  const allButOne = needed.length === 1 ? [] : needed.map((each) => needed.filter((other) => other !== each));
  const lacks = [[], ...allButOne, KINDS.filter((kind) => !needed.includes(kind))];
  for (const allow of lacks) {
    const [reason = "", ...rest] = await objects.denied(name, { ...spec, changePolicy: { allow } });
    assertEquals(rest, []);
    assertStringIncludes(reason, `or allow it with changePolicy.allow: [${needed.join(", ")}]`);
    assertStringIncludes(reason, 'spec.columns[1].V.type: column "v" cannot change from ');
  }
}

for (const [state, rows] of [["empty", 0], ["filled", 3]] as const) {
  Deno.test(`each change of a type needs exactly its members of changePolicy.allow on a table that is ${state}`, async () => {
    for (const [index, { from, to, kind, rewrites, value, using }] of TYPE_CASES.entries()) {
      const name = `${state}-${index}`;
      const table = `${state}_${index}`;
      await objects.applied(name, typed(from));
      await operator.sql(`INSERT INTO ${table} SELECT i, ${value} FROM generate_series(1, ${rows}) AS i`);
      const next = typed(to, using === undefined ? {} : { using });
      const needed = rewrites && rows > 0 ? [kind, "RewriteTable"] : [kind];
      await assertNeeded(name, next, needed);
      const before = await operator.sql(`SELECT id, v::text AS v FROM ${table} ORDER BY id`);
      const [file] = await operator.sql(`SELECT pg_relation_filenode('${table}') AS node`);
      const shown = await objects.applied(name, { ...next, changePolicy: { allow: needed } });
      assertEquals(await operator.sql(`SELECT id, v::text AS v FROM ${table} ORDER BY id`), before, `${from} -> ${to}`);
      const [after] = await operator.sql(`SELECT pg_relation_filenode('${table}') AS node`);
      assertEquals(file?.["node"] !== after?.["node"], rewrites, `${from} -> ${to} was forecast otherwise`);
      assertEquals(shown.includes("rewrites the table"), rewrites, shown);
    }
  });
}

Deno.test("using makes the new values, and is no plan when the type is right", async () => {
  await objects.applied("cast", typed("text"));
  await operator.sql(`INSERT INTO "cast" VALUES (1, 'yes'), (2, 'no'), (3, NULL)`);
  const spec = {
    ...typed("boolean", { using: "CASE V WHEN 'yes' THEN true WHEN 'no' THEN false END" }),
    changePolicy: { allow: ["ChangeType", "RewriteTable"] },
  };
  const shown = await objects.applied("cast", spec);
  assertStringIncludes(shown, "rewrites the table");
  assertEquals(await operator.sql(`SELECT v FROM "cast" ORDER BY id`), [{ v: true }, { v: false }, { v: null }]);
  assertEquals(warningsOf(await objects.accepted("cast", spec)), []);
});

Deno.test("a default and the expressions that use a column go along with its type", async () => {
  const columns = (type: string, value: unknown) => [
    { ID: "integer" },
    { V: { type, default: value, check: "V <> 'never'" } },
    { W: "integer" },
  ];
  const indexes = [{ name: "carried_v", columns: ["V"] }, { name: "carried_lower", expressions: ["lower(V)"] }];
  await objects.applied("carried", { columns: columns("varchar(10)", "a"), indexes });
  await operator.sql("INSERT INTO carried VALUES (1, 'x', 1)");
  const spec = { columns: columns("text", "b"), indexes, changePolicy: { allow: ["WidenType"] } };
  await objects.applied("carried", spec);
  assertEquals((await columnsOf(operator, "carried"))[1], "v text default 'b'::text");
  const history = await objects.historyOf("carried");
  await operator.restart();
  await objects.touch("carried");
  assertEquals(warningsOf(await objects.accepted("carried", { ...spec, deletionPolicy: "Delete" })), []);
  await objects.applied("behind", {});
  assertEquals(await objects.historyOf("carried"), history);
});

Deno.test("adding a column that rewrites a filled table needs RewriteTable; an empty one does not", async () => {
  const added: readonly (readonly [string, SpecPart])[] = [
    ["its default", { type: "uuid", defaultExpression: "gen_random_uuid()" }],
    ["generatedAs", { type: "integer", generatedAs: "ID + 1" }],
    ["identity", { type: "integer", identity: "Always" }],
  ];
  for (const [index, [what, column]] of added.entries()) {
    const name = `added-${index}`;
    const next = { columns: [{ ID: "integer" }, { V: column }] };
    await objects.applied(name, {});
    await operator.sql(`INSERT INTO added_${index} VALUES (1), (2)`);
    assertEquals(await objects.denied(name, next), [
      `spec.columns[1].V: column "v" would make PostgreSQL rewrite the whole table under a lock: allow it with ` +
      `changePolicy.allow: [RewriteTable], or add the column without ${what} first`,
    ]);
    await objects.applied(name, { ...next, changePolicy: { allow: ["RewriteTable"] } });
    await objects.applied(`${name}-empty`, {});
    await objects.applied(`${name}-empty`, next);
  }
});

Deno.test("a default that is stored once adds a column to a filled table without being asked", async () => {
  await objects.applied("stored", {});
  await operator.sql("INSERT INTO stored VALUES (1)");
  const shown = await objects.applied("stored", {
    columns: [{ ID: "integer" }, { V: { type: "timestamptz", notNull: true, defaultExpression: "now()" } }],
  });
  assertStringIncludes(shown, "no rewrite");
});

Deno.test("renamedFrom keeps the data and everything that uses the column, and may stay in the spec", async () => {
  const parts = (column: string): SpecPart => ({
    indexes: [{ name: "moved_by", columns: [column] }, { name: "moved_low", expressions: [`lower(${column})`] }],
    checks: [{ name: "moved_check", expression: `${column} <> ''` }],
    uniqueConstraints: [{ name: "moved_once", columns: [column, "ID"] }],
  });
  const spec = {
    ...parts("EMAIL"),
    columns: [{ ID: "integer" }, { EMAIL: { type: "text", renamedFrom: "MAIL", notNull: true } }, {
      DOMAIN: { type: "text", generatedAs: "split_part(EMAIL, '@', 2)" },
    }],
  };
  await objects.applied("moved", {
    ...parts("MAIL"),
    columns: [{ ID: "integer" }, { MAIL: { type: "text", notNull: true } }, {
      DOMAIN: { type: "text", generatedAs: "split_part(MAIL, '@', 2)" },
    }],
  });
  await operator.sql("INSERT INTO moved VALUES (1, 'a@example.com')");
  await operator.sql("CREATE VIEW readers AS SELECT mail FROM moved");
  const shown = warningsOf(await objects.applied("moved", spec));
  assertEquals(shown, [
    `ALTER TABLE "public"."moved" RENAME COLUMN "mail" TO "email" -- ACCESS EXCLUSIVE lock, no rewrite`,
    "-- public.moved has an unknown number of rows (never analyzed)",
  ]);
  assertEquals(await operator.sql("SELECT email, domain FROM moved"), [{
    email: "a@example.com",
    domain: "example.com",
  }]);
  assertEquals(await operator.sql("SELECT mail FROM readers"), [{ mail: "a@example.com" }]);
  const history = await objects.historyOf("moved");
  await operator.restart();
  assertEquals(warningsOf(await objects.accepted("moved", { ...spec, deletionPolicy: "Delete" })), []);
  await objects.touch("moved");
  await objects.applied("moved-again", { ...spec, ...{ indexes: [], checks: [], uniqueConstraints: [] } });
  assertEquals(await objects.historyOf("moved"), history);
});

Deno.test("renamedFrom and a new type, a new default and a new table name go together", async () => {
  await objects.applied("several", typed("varchar(10)"));
  await operator.sql("INSERT INTO several VALUES (1, 'kept')");
  await objects.applied("several", {
    tableName: "several_more",
    columns: [{ ID: "integer" }, { W: { type: "text", default: "none", renamedFrom: "V" } }],
    changePolicy: { allow: ["WidenType"] },
  });
  assertEquals(await operator.sql("SELECT id, w FROM several_more"), [{ id: 1, w: "kept" }]);
  assertEquals((await columnsOf(operator, "several_more"))[1], "w text default 'none'::text");
});

Deno.test("two columns cannot change their names with each other in one plan", async () => {
  await objects.applied("swapped", { columns: [{ ID: "integer" }, { A: "text" }, { B: "text" }] });
  const reasons = await objects.denied("swapped", {
    columns: [{ ID: "integer" }, { A: { type: "text", renamedFrom: "B" } }, { B: { type: "text", renamedFrom: "A" } }],
  });
  assertStringIncludes(reasons.join("\n"), `column "b" is still in spec.columns`);
});

Deno.test("renamedFrom is denied when the table has both names, or neither", async () => {
  await objects.applied("unsure", { columns: [{ ID: "integer" }, { OLD: "text" }, { NEW: "text" }] });
  assertEquals(
    await objects.denied("unsure", {
      columns: [{ ID: "integer" }, { NEW: { type: "text", renamedFrom: "OLD" } }],
      changePolicy: { allow: ["DropColumn"] },
    }),
    [`spec.columns[1].NEW.renamedFrom: the table has both "old" and "new": which of them holds the data cannot be known`],
  );
  assertEquals(
    await objects.denied("unsure", {
      columns: [{ ID: "integer" }, { OLD: "text" }, { NEW: "text" }, { X: { type: "text", renamedFrom: "Y" } }],
    }),
    [
      `spec.columns[3].X.renamedFrom: the table has neither "y" nor "x": name the column as it is called now, ` +
      `or leave renamedFrom out`,
    ],
  );
});

Deno.test("a column that somebody else added is not renamed", async () => {
  await objects.applied("foreign-column", {});
  await operator.sql("ALTER TABLE foreign_column ADD COLUMN theirs text");
  assertEquals(
    await objects.denied("foreign-column", {
      columns: [{ ID: "integer" }, { OURS: { type: "text", renamedFrom: "THEIRS" } }],
    }),
    [`spec.columns[1].OURS.renamedFrom: column "theirs" was not made by this operator and cannot be renamed`],
  );
});

Deno.test("one column that goes and one of its type that comes look like a rename, also where DropColumn is allowed", async () => {
  const old = { columns: [{ ID: "integer" }, { MAIL: "text" }] };
  const next = { columns: [{ ID: "integer" }, { EMAIL: "text" }] };
  const lookAlike = `spec.columns[1].EMAIL: looks like a rename of "mail": set renamedFrom: mail to keep its data, ` +
    `or apply the removal and the addition apart`;
  await objects.applied("alike", old);
  await operator.sql("INSERT INTO alike VALUES (1, 'precious')");
  const plain = await objects.denied("alike", next);
  assertEquals(plain.length, 2);
  assertEquals(plain[1], lookAlike);
  assertEquals(await objects.denied("alike", { ...next, changePolicy: { allow: ["DropColumn"] } }), [lookAlike]);
  assertEquals(await operator.sql("SELECT mail FROM alike"), [{ mail: "precious" }]);
  await objects.applied("alike", { columns: [{ ID: "integer" }], changePolicy: { allow: ["DropColumn"] } });
  await objects.applied("alike", next);
  assertEquals(await operator.sql("SELECT email FROM alike"), [{ email: null }]);
});

Deno.test("online: Require refuses what needs a lock for long, and Never does all at once", async () => {
  const collated = { columns: [{ ID: "integer" }, { V: { type: "text", collation: "C" } }] };
  await objects.applied("required", { ...typed("text"), indexes: [{ columns: ["V"] }] });
  await operator.sql("INSERT INTO required VALUES (1, 'a')");
  const [reason = ""] = await objects.denied("required", {
    ...collated,
    indexes: [{ columns: ["V"] }],
    changePolicy: { online: "Require" },
  });
  assertStringIncludes(reason, "set changePolicy.online: Prefer for this change");
  await objects.applied("at-once", typed("text"));
  await operator.sql("INSERT INTO at_once VALUES (1, 'a')");
  const shown = await objects.applied("at-once", {
    ...typed("text", { notNull: true, unique: true }),
    indexes: [{ columns: ["V"] }],
    changePolicy: { online: "Never" },
  });
  assertEquals(shown.includes("CONCURRENTLY"), false);
  assertEquals(shown.includes("NOT VALID"), false);
});

Deno.test("the loop refuses with the same words what no webhook saw", async () => {
  await objects.applied("unseen", typed("text"));
  await operator.restart(["--webhooks=off"]);
  await objects.accepted("unseen", { columns: [{ ID: "bigint" }, { W: "text" }] });
  const message = await objects.message("unseen", "PlanRefused");
  await operator.restart();
  await objects.accepted("unseen", typed("text"));
  await objects.ready("unseen");
  const reasons = await objects.denied("unseen", { columns: [{ ID: "bigint" }, { W: "text" }] });
  assertEquals(message.split("; ").toSorted(), reasons.flatMap((reason) => reason.split("; ")).toSorted());
  assertEquals(await columnsOf(operator, "unseen"), ["id integer not null", "v text"]);
});

Deno.test("the operator stops in order", () => operator.close());
