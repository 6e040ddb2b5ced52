import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("adoption");
const { kubectl, role } = operator;
const USER = ["--as", "jane"];

type Spec = Record<string, unknown>;

function table(name: string, spec: Spec, metadata: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: operator.namespace, ...metadata },
    spec: { tableName: name, columns: [{ id: "integer" }, { note: "text" }], primaryKey: "id", ...spec },
  };
}

async function adopted(name: string, spec: Spec): Promise<string> {
  const { code, stderr } = await kubectl.apply(table(name, spec));
  assertEquals(code, 0, stderr);
  await condition(operator, name, { type: "Ready", status: "True" });
  return stderr;
}

async function refused(name: string, spec: Spec): Promise<string> {
  const { code, stderr } = await kubectl.apply(table(name, spec));
  assertEquals(code, 1, stderr);
  return stderr;
}

/** A table of the operator's role that the operator did not make. */
async function stranger(name: string, columns = "id integer PRIMARY KEY, note text"): Promise<void> {
  await operator.sql(`CREATE TABLE ${name} (${columns})`);
  await operator.sql(`ALTER TABLE ${name} OWNER TO ${role}`);
}

async function specOf(name: string): Promise<Spec> {
  return (await kubectl.get("databasetable", name) as { spec: Spec }).spec;
}

async function rowOf(name: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await operator.sql(
    `SELECT origin, members FROM tablewright.owned_table WHERE table_name = '${name}'`,
  );
  return row;
}

Deno.test("without a policy a table that exists is refused, and the message names the way", async () => {
  await stranger("never");
  for (const spec of [{}, { adoptionPolicy: "Never" }]) {
    assertStringIncludes(
      await refused("never", spec),
      `table "never" exists and was not made by this operator: choose another name, ` +
        `or set adoptionPolicy: IfIdentical or IfCompatible to take it over`,
    );
  }
  assertEquals(await rowOf("never"), undefined);
});

Deno.test("the policies are written where they are absent", async () => {
  await adopted("fresh", {});
  const { adoptionPolicy, deletionPolicy } = await specOf("fresh");
  assertEquals([adoptionPolicy, deletionPolicy], ["Never", "Delete"]);
  await kubectl.ok(["delete", "databasetable", "fresh"]);
  assertEquals(await columnsOf(operator, "fresh"), []);
});

Deno.test("IfIdentical takes over a table with defaults, checks, keys and indexes as they are stored", async () => {
  await operator.sql("CREATE TABLE parent (id integer PRIMARY KEY)");
  await operator.sql(`ALTER TABLE parent OWNER TO ${role}`);
  await stranger(
    "twin",
    `id bigint PRIMARY KEY, name varchar(50) NOT NULL DEFAULT 'x' COLLATE "C", state text DEFAULT 'new',
     amount numeric(10,2) DEFAULT 0, low integer DEFAULT -1, made timestamptz DEFAULT now(),
     parent integer REFERENCES parent (id), twice bigint GENERATED ALWAYS AS (id * 2) STORED,
     by_hand text, CONSTRAINT hand CHECK (by_hand <> ''), UNIQUE (name),
     CHECK (state IN ('new', 'old')), CHECK (name <> ''), CHECK (amount BETWEEN 0 AND 100),
     CHECK (low ^ 2 >= 0 AND state LIKE 'n!_%' ESCAPE '!' IS NOT NULL)`,
  );
  await operator.sql("CREATE INDEX twin_lower ON twin (lower(name)) WHERE state = 'new'");
  await operator.sql("CREATE INDEX hand_index ON twin (by_hand)");
  await operator.sql("COMMENT ON TABLE twin IS 'theirs'");
  await operator.sql("INSERT INTO twin (id, by_hand) VALUES (7, 'mine')");
  const before = await columnsOf(operator, "twin");
  const columns = [
    { id: "bigint" },
    { name: { type: "varchar(50)", notNull: true, default: "x", unique: true, check: "name <> ''" } },
    { state: { type: "text", default: "new" } },
    { amount: { type: "numeric(10,2)", default: 0 } },
    { low: { type: "integer", default: -1 } },
    { made: { type: "timestamptz", defaultExpression: "now()" } },
    { parent: { type: "integer", references: { table: "parent", column: "id" } } },
    { twice: { type: "bigint", generatedAs: "id * 2" } },
  ];
  const spec = {
    adoptionPolicy: "IfIdentical",
    columns,
    checks: [
      { expression: "state IN ('new', 'old')" },
      { expression: "amount BETWEEN 0 AND 100" },
      // Stored with casts that only the server knows.
      { expression: "low ^ 2 >= 0 AND state LIKE 'n!_%' ESCAPE '!' IS NOT NULL" },
    ],
    indexes: [{ expressions: ["lower(name)"], where: "state = 'new'" }],
  };
  const shown = await adopted("twin", spec);
  assertStringIncludes(shown, "table public.twin exists and is adopted");
  assertEquals(shown.includes("ALTER TABLE"), false, shown);
  assertEquals(await columnsOf(operator, "twin"), before);
  const row = await rowOf("twin");
  const members = row?.["members"] as { column: string[]; constraint: string[]; index: string[] };
  assertEquals(row?.["origin"], "adopted");
  assertEquals(members.column.includes("by_hand"), false);
  assertEquals(members.constraint.includes("hand"), false);
  assertEquals(members.index, ["twin_lower"]);
  assertEquals((await specOf("twin"))["deletionPolicy"], "Retain");
  await eventually("an event Adopted", async () => {
    const events = await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"]);
    return events.includes('"Adopted"') || undefined;
  });

  // From here on the registry knows what was declared, and what the spec leaves out stays.
  await operator.restart();
  const more = await adopted("twin", { ...spec, columns: [...columns, { extra: "text" }] });
  assertStringIncludes(more, `ADD COLUMN "extra" text`);
  assertEquals(more.includes("hand"), false, more);
  assertEquals(more.includes("DROP"), false, more);
  assertEquals(await columnsOf(operator, "twin"), [...before, "extra text"]);
  assertEquals(await operator.sql("SELECT id::int, by_hand FROM twin"), [{ id: 7, by_hand: "mine" }]);
  assertEquals(await operator.sql("SELECT obj_description('twin'::regclass) AS comment"), [{ comment: "theirs" }]);
  const parts = await operator.sql(
    "SELECT to_regclass('hand_index') IS NOT NULL AS index, count(*)::int FROM pg_constraint WHERE conname = 'hand' GROUP BY 1",
  );
  assertEquals(parts, [{ index: true, count: 1 }]);

  await kubectl.ok(["delete", "databasetable", "twin"]);
  assertEquals(await operator.sql("SELECT id::int, by_hand FROM twin"), [{ id: 7, by_hand: "mine" }]);
});

Deno.test("IfIdentical names every difference at its place, and takes nothing", async () => {
  await stranger("differs", "id integer PRIMARY KEY, note varchar(5) NOT NULL DEFAULT 'x', CHECK (id ^ 2 > 1)");
  const said = await refused("differs", {
    adoptionPolicy: "IfIdentical",
    columns: [{ id: "bigint" }, { note: { type: "varchar(5)", notNull: false, default: "y" } }, { more: "text" }],
    primaryKey: "note",
    indexes: [{ columns: ["note"] }],
    checks: [{ expression: "id ^ 2 > 2" }],
  });
  const prefix = `table "differs" exists and cannot be taken over (adoptionPolicy: IfIdentical): `;
  assertStringIncludes(said, `spec.columns[0].id: ${prefix}column "id" is integer there, not bigint`);
  assertStringIncludes(
    said,
    `spec.columns[1].note: ${prefix}column "note" has the default 'x'::character varying there`,
  );
  assertStringIncludes(said, `spec.columns[2].more: ${prefix}it has no column "more"; leave it out, or set`);
  assertStringIncludes(said, `spec.checks[0]: ${prefix}it has no such check ((id ^ 2) > 2)`);
  assertStringIncludes(said, `spec.primaryKey: ${prefix}its primary key is (id)`);
  assertStringIncludes(said, `spec.indexes[0]: ${prefix}it has no such index`);
  assertEquals(await rowOf("differs"), undefined);
});

Deno.test("IfCompatible adds columns, keeps rows, and refuses everything else", async () => {
  await stranger("grows");
  await operator.sql("INSERT INTO grows VALUES (1, 'one')");
  const columns = [{ id: "integer" }, { note: { type: "text", comment: "said" } }];
  const rewriting = [...columns, { token: { type: "uuid", defaultExpression: "gen_random_uuid()" } }];
  const spec = { adoptionPolicy: "IfCompatible" };
  assertStringIncludes(await refused("grows", { ...spec, columns: rewriting }), "would rewrite the table");
  assertStringIncludes(
    await refused("grows", { ...spec, columns: [{ id: "bigint" }, { note: "text" }] }),
    `column "id" is integer there, not bigint`,
  );
  assertStringIncludes(
    await refused("grows", {
      ...spec,
      columns: [{ id: "integer" }, { renamed: { type: "text", renamedFrom: "note" } }],
    }),
    `its column "note" is not called "renamed"`,
  );
  assertStringIncludes(await refused("grows", { ...spec, primaryKey: "note" }), "its primary key is (id)");
  const shown = await adopted("grows", { ...spec, columns: [...columns, { age: { type: "integer", default: 3 } }] });
  assertStringIncludes(shown, `ADD COLUMN "age" integer DEFAULT 3`);
  assertEquals(await operator.sql("SELECT * FROM grows"), [{ id: 1, note: "one", age: 3 }]);
  assertEquals((await rowOf("grows"))?.["origin"], "adopted");
});

Deno.test("IfCompatible adds constraints and indexes that are missing, and drops nothing", async () => {
  await operator.sql("CREATE TABLE grown_parent (id integer PRIMARY KEY)");
  await operator.sql(`ALTER TABLE grown_parent OWNER TO ${role}`);
  await stranger("grown", "id integer, note text, parent integer, CONSTRAINT hand CHECK (note <> 'x')");
  await operator.sql("INSERT INTO grown VALUES (1, 'one', NULL), (2, 'two', NULL)");
  const spec = {
    columns: [
      { id: "integer" },
      { note: { type: "text", notNull: true, default: "n", unique: true } },
      { parent: { type: "integer", references: { table: "grown_parent", column: "id" } } },
    ],
    checks: [{ name: "positive", expression: "id > 0" }],
    indexes: [{ name: "grown_note", columns: ["note"] }],
  };
  for (const word of ["no primary key", "no such check", "no such index", "may be null", "no default"]) {
    assertStringIncludes(await refused("grown", { ...spec, adoptionPolicy: "IfIdentical" }), word);
  }
  // The first thing that runs is CONCURRENTLY: the table is the object's before.
  assertStringIncludes(await adopted("grown", { ...spec, adoptionPolicy: "IfCompatible" }), "CONCURRENTLY");
  assertEquals(await columnsOf(operator, "grown"), [
    "id integer not null",
    "note text not null default 'n'::text",
    "parent integer",
  ]);
  const parts = await operator.sql(
    `SELECT conname AS name FROM pg_constraint WHERE conrelid = 'grown'::regclass AND contype <> 'n'
     UNION SELECT relname FROM pg_class WHERE relname = 'grown_note' ORDER BY 1`,
  );
  assertEquals(parts.map(({ name }) => name), [
    "grown_note",
    "grown_note_key",
    "grown_parent_fkey",
    "grown_pkey",
    "hand",
    "positive",
  ]);
  const row = await rowOf("grown");
  assertEquals(row?.["origin"], "adopted");
  assertEquals((row?.["members"] as { constraint: string[] }).constraint.includes("hand"), false);
});

Deno.test("an adopted table is dropped only where the object says Delete", async () => {
  await stranger("goes");
  await adopted("goes", { adoptionPolicy: "IfCompatible", deletionPolicy: "Delete" });
  await kubectl.ok(["delete", "databasetable", "goes"]);
  assertEquals(await columnsOf(operator, "goes"), []);

  await stranger("stays");
  await adopted("stays", { adoptionPolicy: "IfCompatible" });
  await kubectl.ok(["delete", "databasetable", "stays"]);
  assertEquals((await columnsOf(operator, "stays")).length, 2);
  // Who may not adopt must not get it as the successor of an object that did.
  assertStringIncludes(await refused("stays", {}), `table "stays" exists and was not made by this operator`);
  await adopted("stays", { adoptionPolicy: "IfIdentical" });
  await kubectl.ok(["delete", "databasetable", "stays"]);
  assertEquals((await columnsOf(operator, "stays")).length, 2);
});

Deno.test("tables that run other people's code, or are none, are left alone", async () => {
  await operator.sql("CREATE TABLE foreigner (id integer PRIMARY KEY, note text)");
  await stranger("triggered");
  await operator.sql("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$");
  await operator.sql("CREATE TRIGGER fires BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION f()");
  await operator.sql("CREATE FUNCTION g(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'");
  await stranger("checked", "id integer PRIMARY KEY CHECK (g(id)), note text");
  await stranger("indexed");
  await operator.sql("CREATE INDEX ON indexed (g(id))");
  await stranger("secured");
  await operator.sql("ALTER TABLE secured ENABLE ROW LEVEL SECURITY");
  await operator.sql("CREATE TABLE child () INHERITS (indexed)");
  await operator.sql(`ALTER TABLE child OWNER TO ${role}`);
  await operator.sql("CREATE VIEW seen AS SELECT 1 AS id");
  for (
    const [name, why] of [
      ["foreigner", "cannot be taken over: role"],
      ["triggered", "cannot be taken over: it has triggers (fires)"],
      ["checked", "cannot be taken over: it uses the function"],
      ["indexed", "it uses the function"],
      ["secured", "cannot be taken over: it has row security"],
      ["child", "it takes part in inheritance"],
      ["seen", `"seen" is the name of a view`],
    ] as const
  ) {
    assertStringIncludes(await refused(name, { adoptionPolicy: "IfCompatible" }), why);
    assertEquals(await rowOf(name), undefined);
  }
});

Deno.test("to set a policy, or to bring a marker of kopf, needs the verb adopt", async () => {
  await kubectl.ok(
    ["apply", "-f", "-"],
    JSON.stringify(roleFor("editor", ["get", "list", "create", "update", "patch"])),
  );
  await kubectl.ok(["create", "rolebinding", "editor", "--role=editor", "--user=jane"]);
  await stranger("wanted");
  const manifest = table("wanted", { adoptionPolicy: "IfCompatible" });
  const marked = table("wanted", {}, { finalizers: ["kopf.zalando.org/KopfFinalizerMarker"] });
  const denial = "needs the RBAC verb adopt on databasetables.kopf.demo";
  // Until the authorizer knows the role.
  await eventually(
    "jane may write objects",
    async () => (await kubectl.apply(table("janes", {}), ...USER)).code === 0 || undefined,
  );
  for (const each of [manifest, marked]) {
    const { code, stderr } = await kubectl.apply(each, ...USER);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, denial);
  }
  assertStringIncludes(
    (await kubectl.apply(table("janes", { adoptionPolicy: "IfIdentical" }), ...USER)).stderr,
    denial,
  );
  const label = ["label", "databasetable", "janes", "a=b", ...USER];
  await kubectl.ok(label);

  await kubectl.ok(["apply", "-f", "-"], JSON.stringify(roleFor("adopter", ["adopt"])));
  await kubectl.ok(["create", "rolebinding", "adopter", "--role=adopter", "--user=jane"]);
  await eventually("jane may adopt", async () => (await kubectl.apply(manifest, ...USER)).code === 0 || undefined);
  await condition(operator, "wanted", { type: "Ready", status: "True" });

  // Without the verb her object still changes, but never points at another table.
  await kubectl.ok(["delete", "rolebinding", "adopter"]);
  await eventually("jane may adopt no more", async () => {
    const { stderr } = await kubectl.apply(
      table("wanted", { adoptionPolicy: "IfCompatible", tableName: "x" }),
      ...USER,
    );
    return stderr.includes(denial) || undefined;
  });
  const changed = table("wanted", {
    adoptionPolicy: "IfCompatible",
    columns: [{ id: "integer" }, { note: "text" }, { more: "text" }],
  });
  assertEquals((await kubectl.apply(changed, ...USER)).code, 0);
});

function roleFor(name: string, verbs: readonly string[]): unknown {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name },
    rules: [{ apiGroups: ["kopf.demo"], resources: ["databasetables"], verbs }],
  };
}

Deno.test("what kopf made is taken over when its object carries kopf's marker", async () => {
  await stranger("kopfs");
  const marked = table("kopfs", {}, { annotations: { "kopf.zalando.org/last-handled-configuration": "{}" } });
  const { code, stderr } = await kubectl.apply(marked);
  assertEquals(code, 0, stderr);
  await condition(operator, "kopfs", { type: "Ready", status: "True" });
  const { adoptionPolicy, deletionPolicy } = await specOf("kopfs");
  assertEquals([adoptionPolicy, deletionPolicy], ["IfCompatible", "Retain"]);
});

Deno.test("the loop alone comes to the same verdicts in the same words", async () => {
  for (const name of ["lone_never", "lone_wrong", "lone_taken", "lone_default", "lone_marked"]) await stranger(name);
  await stranger("lone_trigger");
  await operator.sql("CREATE TRIGGER fires BEFORE INSERT ON lone_trigger FOR EACH ROW EXECUTE FUNCTION f()");
  const wrong = { tableName: "lone_wrong", adoptionPolicy: "IfIdentical", columns: [{ id: "bigint" }] };
  const words = await refused("lone-wrong", wrong);
  await operator.restart(["--webhooks=off"]);
  await kubectl.run(["delete", "validatingwebhookconfiguration,mutatingwebhookconfiguration", "adoption"]);
  const lone = async (name: string, spec: Spec, metadata: Record<string, unknown> = {}) => {
    const manifest = table(name, { tableName: name.replace("-", "_"), ...spec }, metadata);
    await eventually(
      "the API server forgot the webhook",
      async () => (await kubectl.apply(manifest)).code === 0 || undefined,
    );
  };
  const conflicts = { type: "Ready", status: "False", reason: "OwnershipConflict" };
  await lone("lone-never", {});
  assertStringIncludes(String((await condition(operator, "lone-never", conflicts))["message"]), "set adoptionPolicy");
  await lone("lone-trigger", { adoptionPolicy: "IfCompatible" });
  assertStringIncludes(String((await condition(operator, "lone-trigger", conflicts))["message"]), "it has triggers");
  await lone("lone-wrong", wrong);
  const said = await condition(operator, "lone-wrong", { type: "Ready", status: "False", reason: "PlanRefused" });
  assertStringIncludes(words, String(said["message"]));
  assertEquals(await rowOf("lone_wrong"), undefined);

  const taken: readonly (readonly [string, Spec, Record<string, unknown>])[] = [
    ["lone-taken", { adoptionPolicy: "IfIdentical" }, {}],
    ["lone-marked", {}, { annotations: { "kopf.zalando.org/last-handled-configuration": "{}" } }],
  ];
  for (const [name, spec, metadata] of taken) {
    await lone(name, spec, metadata);
    await condition(operator, name, { type: "Ready", status: "True" });
    // What followed from kopf's marks is written when they go.
    assertEquals((await specOf(name))["deletionPolicy"], name === "lone-marked" ? "Retain" : undefined);
    await kubectl.ok(["delete", "databasetable", name]);
    assertEquals((await columnsOf(operator, name.replace("-", "_"))).length, 2);
  }

  // The registry remembers how it began, also when the policy is gone.
  await lone("lone-default", { adoptionPolicy: "IfIdentical" });
  await condition(operator, "lone-default", { type: "Ready", status: "True" });
  const patch = JSON.stringify({ spec: { adoptionPolicy: null } });
  await kubectl.ok(["patch", "databasetable", "lone-default", "--type=merge", "-p", patch]);
  await kubectl.ok(["delete", "databasetable", "lone-default"]);
  assertEquals((await columnsOf(operator, "lone_default")).length, 2);
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});
