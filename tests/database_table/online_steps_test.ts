import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("online-steps");
const objects = new TableObjects(operator);

const ROWS = 5_000;

async function filled(name: string): Promise<string> {
  const table = name.replaceAll("-", "_");
  await objects.applied(name, withValue("text"));
  await operator.sql(`INSERT INTO ${table} SELECT i, 'row ' || i FROM generate_series(1, ${ROWS}) AS i`);
  return table;
}

function withValue(v: unknown, more: SpecPart = {}): SpecPart {
  return { columns: [{ ID: "integer" }, { V: v }], ...more };
}

/** What ran since the table was made, in short. */
async function ran(table: string, since: number): Promise<readonly string[]> {
  const history = (await objects.historyOf(table)).slice(since);
  return history.map((sql) => sql.replaceAll(`"public"."${table}"`, "t").replaceAll('"', ""));
}

/** A session whose open transaction keeps CONCURRENTLY from ending, until the returned function is called. */
async function holdTransaction(table: string): Promise<() => Promise<void>> {
  const block = `DO $$ BEGIN UPDATE ${table} SET v = v WHERE id = 1; PERFORM pg_sleep(600); END $$`;
  const ended = operator.sql(block).catch(() => undefined);
  const pid = await eventually("the row is held", async () => {
    const [row] = await operator.sql(
      `SELECT pid FROM pg_locks WHERE relation = '${table}'::regclass AND mode = 'RowExclusiveLock' AND granted`,
    );
    return row?.["pid"];
  });
  return async () => {
    await operator.sql(`SELECT pg_cancel_backend(${pid})`);
    await ended;
  };
}

Deno.test("NOT NULL, CHECK, UNIQUE and an index come to a filled table step by step", async () => {
  const table = await filled("stepwise");
  const before = (await objects.historyOf(table)).length;
  await objects.applied(
    "stepwise",
    withValue({ type: "text", notNull: true, unique: true }, {
      checks: [{ name: "short", expression: "length(V) < 20" }],
      indexes: [{ name: "stepwise_lower", expressions: ["lower(V)"] }],
    }),
  );
  assertEquals((await ran(table, before)).toSorted(), [
    "ALTER TABLE t ADD CONSTRAINT short CHECK (length(v) < 20) NOT VALID",
    "ALTER TABLE t ADD CONSTRAINT stepwise_v_key UNIQUE USING INDEX stepwise_v_key",
    "ALTER TABLE t ADD CONSTRAINT tablewright_nn_2 CHECK (v IS NOT NULL) NOT VALID",
    "ALTER TABLE t ALTER COLUMN v SET NOT NULL",
    "ALTER TABLE t DROP CONSTRAINT tablewright_nn_2",
    "ALTER TABLE t VALIDATE CONSTRAINT short",
    "ALTER TABLE t VALIDATE CONSTRAINT tablewright_nn_2",
    "CREATE INDEX CONCURRENTLY stepwise_lower ON t USING btree ((lower(v)))",
    "CREATE UNIQUE INDEX CONCURRENTLY stepwise_v_key ON t USING btree (v)",
  ]);
  assertEquals(await columnsOf(operator, table), ["id integer not null", "v text not null"]);
  assertEquals(await objects.partsOf(table), [
    "short: CHECK ((length(v) < 20))",
    "stepwise_lower:  USING btree (lower(v))",
    "stepwise_pkey: PRIMARY KEY (id)",
    "stepwise_v_key: UNIQUE (v)",
  ]);
});

Deno.test("a unique index that rows forbid is told honestly, and is built when they are mended", async () => {
  const table = await filled("mended");
  await operator.restart(["--webhooks=off"]);
  await operator.sql(`INSERT INTO ${table} VALUES (0, 'row 1')`);
  // Of an expression nobody asks the rows before.
  await objects.accepted(
    "mended",
    withValue("text", { indexes: [{ name: "mended_once", expressions: ["lower(V)"], unique: true }] }),
  );
  const message = await objects.message("mended", "ApplyFailed");
  assertStringIncludes(message, "mended_once");
  assertStringIncludes(message, "23505");
  assertEquals(message.includes("row 1"), false, message);
  // A change that was refused must not refuse rows.
  assertEquals(await objects.partsOf(table), ["mended_pkey: PRIMARY KEY (id)"]);
  await operator.sql(`DELETE FROM ${table} WHERE id = 0`);
  await objects.touch("mended");
  await objects.ready("mended");
  assertEquals(await objects.partsOf(table), [
    "mended_once:  USING btree (lower(v)) UNIQUE",
    "mended_pkey: PRIMARY KEY (id)",
  ]);
  await operator.restart();
});

Deno.test("a unique constraint stays until the one in its place is built", async () => {
  const spec = (column: string): SpecPart => ({
    columns: [{ ID: "integer" }, { A: "integer" }, { B: "integer" }],
    uniqueConstraints: [{ name: "once", columns: [column] }],
  });
  await objects.applied("replaced", spec("A"));
  await operator.sql("INSERT INTO replaced SELECT i, i, 1 FROM generate_series(1, 100) AS i");
  await operator.restart(["--webhooks=off"]);
  await objects.accepted("replaced", spec("B"));
  assertStringIncludes(await objects.message("replaced", "PlanRefused"), "spec.uniqueConstraints[0]");
  assertStringIncludes((await objects.partsOf("replaced")).join("\n"), "once: UNIQUE (a)");
  await operator.sql("UPDATE replaced SET b = id");
  await objects.touch("replaced");
  await objects.ready("replaced");
  assertEquals(await objects.partsOf("replaced"), ["once: UNIQUE (b)", "replaced_pkey: PRIMARY KEY (id)"]);
  await operator.restart();
});

Deno.test("an index build that a restart interrupts is done again", async () => {
  const table = await filled("interrupted");
  const release = await holdTransaction(table);
  try {
    await objects.accepted("interrupted", withValue("text", { indexes: [{ name: "interrupted_v", columns: ["V"] }] }));
    await eventually("the build waits for the transaction", async () => {
      const parts = await objects.partsOf(table);
      return parts.some((part) => part.includes("INVALID")) || undefined;
    });
    await operator.stopOperator();
    assertStringIncludes((await objects.partsOf(table)).join("\n"), "interrupted_v:  USING btree (v) INVALID");
  } finally {
    await release();
  }
  await operator.startOperator();
  await objects.ready("interrupted");
  assertEquals(await objects.partsOf(table), ["interrupted_pkey: PRIMARY KEY (id)", "interrupted_v:  USING btree (v)"]);
});

Deno.test("an index build that waits for others is stopped when the index is not wanted any more", async () => {
  const table = await filled("unwanted");
  const release = await holdTransaction(await filled("elsewhere"));
  try {
    await objects.accepted("unwanted", withValue("text", { indexes: [{ name: "unwanted_v", columns: ["V"] }] }));
    await eventually("the build waits for the transaction", async () => {
      const parts = await objects.partsOf(table);
      return parts.some((part) => part.includes("INVALID")) || undefined;
    });
    await objects.applied("unwanted", withValue("text", { changePolicy: { allow: ["DropIndex"] } }));
    assertEquals(await objects.partsOf(table), ["unwanted_pkey: PRIMARY KEY (id)"]);
  } finally {
    await release();
  }
});

Deno.test("NOT NULL that a restart interrupts is finished, and leaves no helper behind", async () => {
  const table = await filled("halfway");
  await operator.stopOperator();
  // As a crash after the first step leaves it.
  await operator.sql(`ALTER TABLE ${table} ADD CONSTRAINT tablewright_nn_2 CHECK (v IS NOT NULL) NOT VALID`);
  await operator.startOperator();
  await objects.applied("halfway", withValue({ type: "text", notNull: true }));
  assertEquals(await objects.partsOf(table), ["halfway_pkey: PRIMARY KEY (id)"]);
  assertEquals(await columnsOf(operator, table), ["id integer not null", "v text not null"]);
});

Deno.test("a foreign key on filled tables is added first and validated afterwards", async () => {
  await filled("owners");
  const table = await filled("owned");
  const before = (await objects.historyOf(table)).length;
  await objects.applied("owned", {
    columns: [{ ID: { type: "integer", references: { table: "owners", column: "ID" } } }, { V: "text" }],
  });
  assertEquals(await ran(table, before), [
    "ALTER TABLE t ADD CONSTRAINT owned_id_fkey FOREIGN KEY (id) REFERENCES public.owners (id) NOT VALID",
    "ALTER TABLE t VALIDATE CONSTRAINT owned_id_fkey",
  ]);
});

Deno.test("users read and write while a long plan runs", async () => {
  const table = await filled("busy");
  await operator.sql(`INSERT INTO ${table} SELECT i, 'more ' || i FROM generate_series(${ROWS + 1}, 200000) AS i`);
  const applied = objects.applied(
    "busy",
    withValue({ type: "text", notNull: true, unique: true }, { indexes: [{ columns: ["V", "ID"] }] }),
  );
  let isDone = false;
  applied.finally(() => isDone = true).catch(() => undefined);
  let longest = 0;
  while (!isDone) {
    const started = performance.now();
    await operator.sql(`UPDATE ${table} SET v = v WHERE id = 7`);
    longest = Math.max(longest, performance.now() - started);
  }
  await applied;
  // Less than the three seconds of one lock time-out, in which nobody would have worked at all.
  assertEquals(longest < 3_000, true, `a write waited ${longest} ms`);
});

const BY_HAND: readonly string[] = [
  "ALTER TABLE mixed ADD COLUMN by_hand text DEFAULT 'theirs'",
  "CREATE INDEX hand_index ON mixed (by_hand)",
  "ALTER TABLE mixed ADD CONSTRAINT hand_check CHECK (by_hand <> 'never')",
  "ALTER TABLE mixed ADD CONSTRAINT hand_once UNIQUE (by_hand, id)",
  "CREATE FUNCTION hand_function() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  "CREATE VIEW hand_view AS SELECT id, by_hand FROM mixed",
  "CREATE STATISTICS hand_statistics ON id, by_hand FROM mixed",
];

Deno.test("what somebody made by hand on a table survives every change of it", async () => {
  const table = await filled("mixed");
  for (const sql of BY_HAND) await operator.sql(sql);
  const theirs = async () => [
    ...(await columnsOf(operator, table)).filter((line) => line.startsWith("by_hand")),
    ...(await objects.partsOf(table)).filter((line) => line.startsWith("hand_")),
    ...(await operator.sql("SELECT stxname AS name FROM pg_statistic_ext WHERE stxname = 'hand_statistics'")),
    ...(await operator.sql("SELECT count(*)::int AS rows FROM hand_view")),
  ];
  const before = await theirs();
  assertEquals(before.length, 6);
  const stages: readonly SpecPart[] = [
    withValue({ type: "text", notNull: true, unique: true }),
    withValue({ type: "text", notNull: true, unique: true }, { indexes: [{ columns: ["V"], method: "hash" }] }),
    withValue("text", {
      checks: [{ expression: "V <> ''" }],
      changePolicy: { allow: ["DropConstraint", "DropIndex"] },
    }),
    {
      columns: [{ ID: "integer" }, { W: { type: "text", renamedFrom: "V" } }],
      changePolicy: { allow: ["DropConstraint"] },
    },
    { columns: [{ ID: "integer" }], changePolicy: { allow: ["DropColumn"] } },
    { columns: [{ ID: "integer" }, { X: "integer" }], primaryKey: ["ID"], comment: "changed" },
  ];
  for (const stage of stages) {
    await objects.applied("mixed", stage);
    assertEquals(await theirs(), before, JSON.stringify(stage));
  }
});

Deno.test("a check by hand with a name that the spec wants is never taken for ours", async () => {
  await objects.applied("names", {});
  await operator.sql("ALTER TABLE names ADD CONSTRAINT wanted CHECK (id > 100)");
  const { code, stderr } = await objects.apply("names", { checks: [{ name: "wanted", expression: "ID > 0" }] });
  const parts = await objects.partsOf("names");
  assertEquals(parts, ["names_pkey: PRIMARY KEY (id)", "wanted: CHECK ((id > 100))"], `${code} ${stderr}`);
  assertEquals(code, 1, stderr);
  assertStringIncludes(
    stderr,
    `spec.checks[0].name: "wanted" is the name of a check constraint of the table: choose another name`,
  );
});

Deno.test("a verdict says that somebody holds the table's lock, and does not wait for it", async () => {
  await objects.applied("held", withValue("text"));
  const block = "DO $$ BEGIN LOCK TABLE held IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(600); END $$";
  const ended = operator.sql(block).catch(() => undefined);
  const pid = await eventually("the table is locked", async () => {
    const [row] = await operator.sql(
      `SELECT pid FROM pg_locks WHERE relation = 'held'::regclass AND mode = 'AccessExclusiveLock' AND granted`,
    );
    return row?.["pid"];
  });
  try {
    assertStringIncludes(
      await objects.accepted("held", withValue("text", { comment: "changed" })),
      "table public.held, or the catalog of the database, is locked by another session",
    );
  } finally {
    await operator.sql(`SELECT pg_cancel_backend(${pid})`);
    await ended;
  }
  await objects.ready("held");
});

Deno.test("an identity is refused online while only a scan under the lock knows its greatest value", async () => {
  const identity = { type: "integer", identity: "ByDefault" };
  const spec = (v: unknown, more: SpecPart = {}) => ({ ...withValue(v, more), changePolicy: { online: "Require" } });
  await objects.applied("numbered", withValue({ type: "integer", notNull: true }));
  await operator.sql("INSERT INTO numbered SELECT i, i FROM generate_series(1, 100) AS i");
  assertEquals(await objects.denied("numbered", spec(identity)), [
    `spec.columns[1].V: column "v" cannot become an identity online: its greatest value is looked for under a lock; ` +
    `give it an index first, or set changePolicy.online: Prefer for this change`,
  ]);
  const indexes = [{ columns: ["V"] }];
  await objects.applied("numbered", spec({ type: "integer", notNull: true }, { indexes }));
  await objects.applied("numbered", spec(identity, { indexes }));
  await operator.sql("INSERT INTO numbered (id) VALUES (101)");
  assertEquals(await operator.sql("SELECT v FROM numbered WHERE id = 101"), [{ v: 101 }]);
});

Deno.test("a name that another table's index has is denied", async () => {
  await objects.applied("first", { indexes: [{ name: "one_name", columns: ["ID"] }] });
  const taken = (path: string, name: string, by: string) => [
    `spec.${path}.name: "${name}" is the name of ${by}: choose another name`,
  ];
  const index = { indexes: [{ name: "one_name", columns: ["ID"] }] };
  assertEquals(await objects.denied("second", index), taken("indexes[0]", "one_name", "an index of public.first"));
  await objects.applied("second", {});
  assertEquals(await objects.denied("second", index), taken("indexes[0]", "one_name", "an index of public.first"));
  const unique = { uniqueConstraints: [{ name: "first", columns: ["ID", "V"] }] };
  assertEquals(
    await objects.denied("second", withValue("text", unique)),
    taken("uniqueConstraints[0]", "first", "a table"),
  );
  // A check shares its name with no relation, and with no constraint of another table.
  await objects.applied("second", { checks: [{ name: "one_name", expression: "ID > 0" }] });
});

Deno.test("the operator stops in order", () => operator.close());
