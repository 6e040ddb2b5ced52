import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("foreign-keys");
const { kubectl } = operator;
const objects = new TableObjects(operator);

/** A table with a column that refers to the key of another. */
function referring(table: string, more: SpecPart = {}): SpecPart {
  return {
    columns: [{ ID: "integer" }, { PARENT: { type: "integer", references: { table, column: "ID", ...more } } }],
  };
}

async function deadlocks(): Promise<number> {
  const [row] = await operator.sql(
    "SELECT pg_stat_force_next_flush(), deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()",
  );
  return Number(row?.["deadlocks"]);
}

/** What PostgreSQL's log says of deadlocks, since the server started. */
async function deadlockLines(): Promise<readonly string[]> {
  const [row] = await operator.sql("SHOW data_directory");
  const log = await Deno.readTextFile(`${String(row?.["data_directory"]).replace(/\/[^/]+$/, "")}/postgres.log`);
  return log.split("\n").filter((line) => line.includes("deadlock detected"));
}

async function gone(table: string): Promise<void> {
  await eventually(`${table} is dropped`, async () => (await columnsOf(operator, table)).length === 0 || undefined);
}

Deno.test("a foreign key waits for the table that it refers to, and everything else is made", async () => {
  const shown = await objects.accepted("early", referring("late"));
  assertStringIncludes(
    shown,
    "public.late does not exist yet: the foreign key to it waits (WaitingForReference)",
  );
  assertEquals(
    await objects.message("early", "WaitingForReference"),
    "waiting for public.late, which a foreign key refers to",
  );
  assertEquals(await objects.partsOf("early"), ["early_pkey: PRIMARY KEY (id)"]);
  await objects.applied("late", {});
  await objects.ready("early");
  assertEquals(await objects.partsOf("early"), [
    "early_parent_fkey: FOREIGN KEY (parent) REFERENCES late(id)",
    "early_pkey: PRIMARY KEY (id)",
  ]);
});

Deno.test("a table may refer to itself", async () => {
  await objects.applied("tree", referring("TREE"));
  assertStringIncludes((await objects.partsOf("tree")).join("\n"), "FOREIGN KEY (parent) REFERENCES tree(id)");
  await kubectl.ok(["delete", "databasetable", "tree", "--timeout=30s"]);
  assertEquals(await columnsOf(operator, "tree"), []);
});

const deadlocksBefore = await deadlockLines();

const RING = Array.from({ length: 10 }, (_, index) => `ring-${index}`);

/** Each refers to the next and to the one after that. */
function ringList(): unknown {
  const items = RING.map((name, index) => {
    const target = (step: number) => ({ table: `ring_${(index + step) % RING.length}`, column: "ID" });
    return objects.manifest(name, {
      columns: [{ ID: "integer" }, { NEXT: { type: "integer", references: target(1) } }, {
        OTHER: { type: "integer", references: target(2) },
      }],
    });
  });
  return { apiVersion: "v1", kind: "List", items };
}

function seconds(from: number, to: number): string {
  return `${((to - from) / 1_000).toFixed(1)} s`;
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

Deno.test("ten tables that refer to each other in a ring become Ready at once, and are deleted at once", async () => {
  for (const round of [1, 2]) {
    const started = performance.now();
    await kubectl.ok(["apply", "-f", "-"], JSON.stringify(ringList()));
    for (const name of RING) await objects.ready(name);
    const made = performance.now();
    const keys = await operator.sql(
      "SELECT count(*)::int AS keys FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid::regclass::text LIKE 'ring_%'",
    );
    assertEquals(keys, [{ keys: 20 }], `round ${round}`);
    if (round === 2) { for (const index of RING.keys()) await operator.sql(`INSERT INTO ring_${index} VALUES (1)`); }
    await kubectl.ok(["delete", "-f", "-", "--timeout=60s"], JSON.stringify(ringList()));
    for (const index of RING.keys()) assertEquals(await columnsOf(operator, `ring_${index}`), []);
    await print(`round ${round}: made in ${seconds(started, made)}, deleted in ${seconds(made, performance.now())}`);
  }
  assertEquals(await deadlocks(), 0);
  assertEquals(await deadlockLines(), deadlocksBefore);
});

Deno.test("a ring on tables with rows is closed by steps of their own, without a deadlock", async () => {
  const plain = (name: string) =>
    objects.manifest(name, { columns: [{ ID: "integer" }, { NEXT: "integer" }, { OTHER: "integer" }] });
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: RING.map(plain) }));
  for (const name of RING) await objects.ready(name);
  for (const index of RING.keys()) {
    await operator.sql(`INSERT INTO ring_${index} SELECT i, i, i FROM generate_series(1, 100) AS i`);
  }
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify(ringList()));
  for (const name of RING) await objects.ready(name);
  assertEquals(await deadlocks(), 0);
  await kubectl.ok(["delete", "databasetables", ...RING, "--timeout=60s"]);
  for (const index of RING.keys()) assertEquals(await columnsOf(operator, `ring_${index}`), []);
  assertEquals(await deadlocks(), 0);
  assertEquals(await deadlockLines(), deadlocksBefore);
});

Deno.test("a table that another refers to is kept until that one is gone", async () => {
  await objects.applied("parent", {});
  await objects.applied("child", referring("parent"));
  const shown = await kubectl.run(["delete", "databasetable", "parent", "--wait=false"]);
  assertEquals(shown.code, 0, shown.stderr);
  const message = await objects.message("parent", "WaitingForDependents");
  assertStringIncludes(
    message,
    `the foreign key "child_parent_fkey" of public.child (DatabaseTable foreign-keys/child)`,
  );
  assertEquals(await columnsOf(operator, "parent"), ["id integer not null"]);
  await kubectl.ok(["delete", "databasetable", "child", "--timeout=30s"]);
  await kubectl.ok(["wait", "--for=delete", "databasetable/parent", "--timeout=30s"]);
  await gone("parent");
});

Deno.test("a table that somebody else's view or foreign key needs is kept and says whose", async () => {
  await objects.applied("needed", {});
  await operator.sql("CREATE VIEW needing AS SELECT id FROM needed");
  await operator.sql("CREATE TABLE by_hand (id integer REFERENCES needed)");
  await kubectl.ok(["delete", "databasetable", "needed", "--wait=false"]);
  const message = await objects.message("needed", "WaitingForDependents");
  assertStringIncludes(message, `view public.needing`);
  assertStringIncludes(message, `the foreign key "by_hand_id_fkey" of public.by_hand`);
  await operator.sql("DROP VIEW needing");
  await operator.sql("DROP TABLE by_hand");
  await kubectl.ok(["wait", "--for=delete", "databasetable/needed", "--timeout=30s"]);
  await gone("needed");
});

Deno.test("a foreign key that can never be is denied with the path of its field", async () => {
  await objects.applied("target", {
    columns: [{ ID: "integer" }, { NOTE: "text" }, { CODE: { type: "text", unique: true } }],
  });
  await operator.sql("CREATE VIEW no_table AS SELECT 1 AS id");
  const reference = (table: string, column: string, type = "integer"): SpecPart => ({
    columns: [{ ID: "integer" }, { R: { type, references: { table, column } } }],
  });
  const path = "spec.columns[1].R.references";
  const cases: readonly (readonly [SpecPart, string])[] = [
    [reference("target", "MISSING"), `${path}: public.target has no column "missing"`],
    [reference("target", "NOTE", "text"), `${path}: public.target has no primary key or unique constraint on (note)`],
    [
      reference("target", "CODE"),
      `${path}: column "r" is integer and public.target.code is text: they cannot be compared`,
    ],
    [reference("no_table", "ID"), `${path}: public.no_table is not a table`],
    [reference("REFUSED", "NOTHING"), `${path}: column "nothing" is not in spec.columns`],
  ];
  for (const [spec, reason] of cases) {
    const [first = "", ...rest] = await objects.denied("refused", spec);
    assertEquals(rest, []);
    if (reason.includes("not in spec.columns")) assertStringIncludes(first, path);
    else assertEquals(first, reason);
  }
  const several = {
    columns: [{ ID: "integer" }, { A: "integer" }],
    foreignKeys: [{ columns: ["A", "ID"], references: { table: "target", columns: ["ID"] } }],
  };
  assertStringIncludes(
    (await objects.denied("refused", several)).join("\n"),
    "spec.foreignKeys[0]: Invalid value: columns and references.columns must have the same length",
  );
});

Deno.test("a foreign key never runs the functions of a stranger's indexes", async () => {
  await operator.sql("CREATE TABLE strange (id integer PRIMARY KEY)");
  await operator.sql(`GRANT SELECT, REFERENCES ON strange TO ${operator.role}`);
  await operator.sql("CREATE INDEX ON strange (abs(id)) WHERE id > 5");
  await operator.sql("ALTER TABLE strange ADD CHECK (id <> 7)");
  await objects.applied("harmless", referring("strange"));
  await operator.sql(
    "CREATE FUNCTION strange_code(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'",
  );
  await operator.sql("CREATE INDEX ON strange (id) WHERE strange_code(1) = id");
  assertEquals(await objects.denied("harmful", referring("strange")), [
    "spec.columns[1].PARENT.references: public.strange belongs to another role and has indexes whose functions would run " +
    "as the operator: let the operator's role own it, or add the foreign key by hand",
  ]);
  // What stands is left alone.
  await objects.applied("harmless", { ...referring("strange"), comment: "changed" });
});

Deno.test("a table's own foreign key moves with the key that it needs", async () => {
  const self = (more: SpecPart, id: unknown): SpecPart => ({
    columns: [{ ID: id }, { A: { type: "integer", notNull: true } }, {
      PARENT: { type: "integer", references: { table: "moving", column: "ID" } },
    }],
    ...more,
  });
  await objects.applied("moving", self({ primaryKey: "ID" }, "integer"));
  await operator.sql("INSERT INTO moving SELECT i, i, i FROM generate_series(1, 100) AS i");
  await objects.applied("moving", self({ primaryKey: "A" }, { type: "integer", notNull: true, unique: true }));
  assertEquals(await objects.partsOf("moving"), [
    "moving_id_key: UNIQUE (id)",
    "moving_parent_fkey: FOREIGN KEY (parent) REFERENCES moving(id)",
    "moving_pkey: PRIMARY KEY (a)",
  ]);
});

Deno.test("the key that a foreign key needs is not taken away", async () => {
  await objects.applied("keyed", { columns: [{ ID: "integer" }, { CODE: { type: "text", unique: true } }] });
  await objects.applied("keyed-child", {
    columns: [{ ID: "integer" }, { CODE: { type: "text", references: { table: "keyed", column: "CODE" } } }],
  });
  const needed = (path: string, what: string, child: string) =>
    `spec.${path}: the ${what} cannot go while these need it: the foreign key "${child}_fkey" of public.keyed_child`;
  assertEquals(
    await objects.denied("keyed", {
      columns: [{ ID: "integer" }, { CODE: "text" }],
      changePolicy: { allow: ["DropConstraint"] },
    }),
    [needed("uniqueConstraints", 'unique constraint "keyed_code_key"', "keyed_child_code")],
  );
  await objects.applied("keyed-child", {
    columns: [{ ID: { type: "integer", references: { table: "keyed", column: "ID" } } }, {
      CODE: { type: "text", references: { table: "keyed", column: "CODE" } },
    }],
  });
  assertEquals(
    await objects.denied("keyed", {
      columns: [{ ID: "integer" }, { CODE: { type: "text", unique: true } }],
      primaryKey: ["CODE", "ID"],
    }),
    [needed("primaryKey", 'primary key "keyed_pkey"', "keyed_child_id")],
  );
  assertStringIncludes((await objects.partsOf("keyed")).join("\n"), "keyed_code_key: UNIQUE (code)");
});

Deno.test("a renamed table takes the foreign keys of others along", async () => {
  await objects.applied("named", {});
  await objects.applied("named-child", referring("named"));
  await objects.applied("named", { tableName: "renamed" });
  assertStringIncludes(
    (await objects.partsOf("named_child")).join("\n"),
    "FOREIGN KEY (parent) REFERENCES renamed(id)",
  );
  const history = await objects.historyOf("named_child");
  await objects.applied("named-child", referring("renamed"));
  assertEquals(await objects.historyOf("named_child"), history);
});

Deno.test("the operator stops in order", () => operator.close());
