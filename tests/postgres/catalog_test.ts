import { assert, assertEquals } from "@std/assert";
import { observeRelations, type Relation } from "../../postgres/catalog/catalog.ts";
import { observeDependents } from "../../postgres/catalog/dependents.ts";
import { openDatabase } from "../../postgres/session/client.ts";
import { type CatalogDatabase, openCatalogDatabase } from "../harness/catalog_database.ts";
import { EVERYTHING, everythingDdl, ownTable } from "../harness/everything_table.ts";
import { mayRest } from "../harness/held_lock.ts";
import { eventually } from "../harness/wait.ts";

const { signal } = new AbortController();

let at: CatalogDatabase;

Deno.test.beforeAll(async () => {
  at = await openCatalogDatabase("catalog");
});

Deno.test.beforeEach(() => at.clear());

Deno.test.afterAll(() => at?.stop());

Deno.test("a table with everything reads as exactly what it is", async () => {
  await at.run(...everythingDdl("app"));
  const relation = await at.observe('Every"thing');
  assertEquals(ownTable(relation), EVERYTHING);
  assertEquals(relation.columns.map(({ number }) => number), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assertEquals([relation.ownedByRole, relation.peculiarities, relation.relationBytes], [true, [], 0]);
  assert(relation.totalBytes > 0);
});

Deno.test("the same DDL in another schema reads the same, but for oids", async () => {
  await at.run(...everythingDdl("app"), ...everythingDdl("copy"));
  const text = (relation: Relation) =>
    JSON.stringify(relation, (key, value) => key === "oid" ? 0 : value).replaceAll("copy", "app");
  assertEquals(text(await at.observe('Every"thing', "copy")), text(await at.observe('Every"thing')));
});

Deno.test("database settings change nothing of what is read", async () => {
  await at.run(...everythingDdl("app"));
  const before = await at.observe('Every"thing');
  await at.server.asSuperuser(
    "ALTER DATABASE tw_catalog SET search_path = app, public",
    "ALTER DATABASE tw_catalog SET quote_all_identifiers = on",
    "ALTER DATABASE tw_catalog SET IntervalStyle = iso_8601",
  );
  const other = openDatabase({ url: at.server.url, applicationName: "tablewright-test", maxConnections: 1 });
  try {
    const wanted = { schema: "app", names: ['Every"thing'], oids: [] };
    const limits = { readOnly: true, lockTimeoutMs: 5_000, statementTimeoutMs: 10_000, signal };
    assertEquals(await other.transaction(limits, (transaction) => observeRelations(transaction, wanted)), [before]);
  } finally {
    await other.close();
    await at.server.asSuperuser("ALTER DATABASE tw_catalog RESET ALL");
  }
});

Deno.test("what PostgreSQL 18 added is told apart", async () => {
  if (at.version < 18) return;
  await at.run(
    `CREATE TABLE app.t (a integer, b integer NOT NULL, c integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
       CONSTRAINT lax CHECK (a > 0) NOT ENFORCED)`,
    "ALTER TABLE app.t ADD CONSTRAINT a_there NOT NULL a NOT VALID",
  );
  const relation = await at.observe("t");
  assertEquals(relation.columns.map((column) => [column.notNull, column.notNullValidated, column.notNullConstraint]), [
    [true, false, "a_there"],
    [true, true, "t_b_not_null"],
    [false, true, undefined],
  ]);
  assertEquals([relation.columns[2]?.generated, relation.columns[2]?.virtual], ["(a + 1)", true]);
  assertEquals(relation.constraints.map(({ name, enforced }) => [name, enforced]), [["lax", false]]);
  assertEquals(ownTable(relation).unmanaged, [{ kind: "constraint", name: "lax" }]);
});

Deno.test("what no spec can say is unmanaged: nothing of it is lost, nothing is planned", async () => {
  await at.run(
    "CREATE TABLE app.parent (a integer, b integer, PRIMARY KEY (a, b))",
    `CREATE TABLE app.t (id integer, a integer, b integer, span int4range,
       CONSTRAINT covered UNIQUE (a) INCLUDE (b), CONSTRAINT late UNIQUE (b) DEFERRABLE,
       CONSTRAINT alone CHECK (a > 0) NO INHERIT, CONSTRAINT apart EXCLUDE USING gist (span WITH &&),
       CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES app.parent MATCH FULL,
       CONSTRAINT half FOREIGN KEY (a, b) REFERENCES app.parent ON DELETE SET NULL (b))`,
    "CREATE STATISTICS app.stats ON a, b FROM app.t",
    "CREATE POLICY rows ON app.t USING (a > 0)",
    "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "CREATE TRIGGER touch BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
    "CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
    "CREATE INDEX wide ON app.t USING gist (span range_ops)",
    "CREATE TABLE app.child () INHERITS (app.t)",
  );
  const relation = await at.observe("t");
  assertEquals(ownTable(relation).unmanaged.map(({ kind, name }) => `${kind}: ${name}`), [
    "constraint: alone",
    "exclusion constraint: apart",
    "constraint: covered",
    "constraint: half",
    "constraint: late",
    "constraint: whole",
    "trigger: later",
    "trigger: touch",
    "policy: rows",
    "statistics: app.stats",
    "inheritance: app.child",
  ]);
  assertEquals(relation.peculiarities, ["it takes part in inheritance or partitioning"]);
  assertEquals((await at.observe("child")).inheritance, ["app.t"]);
});

Deno.test("everything that holds a name is found with its kind", async () => {
  await at.run(
    "CREATE TABLE app.t (a integer)",
    "CREATE TABLE app.parts (a integer) PARTITION BY LIST (a)",
    "CREATE VIEW app.v AS SELECT a FROM app.t",
    "CREATE MATERIALIZED VIEW app.m AS SELECT a FROM app.t",
    "CREATE INDEX i ON app.t (a)",
    "CREATE SEQUENCE app.s",
    "CREATE TYPE app.e AS ENUM ('x')",
    "CREATE DOMAIN app.d AS text",
    "CREATE TYPE app.c AS (a integer)",
  );
  const names = ["t", "parts", "v", "m", "i", "s", "e", "d", "c", "_e", "_t", "nothing"];
  const found = await at.write((transaction) => observeRelations(transaction, { schema: "app", names, oids: [] }));
  assertEquals(
    Object.fromEntries(
      found.map(({ name, kind, indexOf }) => [name, indexOf === undefined ? kind : `${kind} of ${indexOf}`]),
    ),
    {
      t: "table",
      parts: "partitioned table",
      v: "view",
      m: "materialized view",
      i: "index of app.t",
      s: "sequence",
      e: "type",
      d: "type",
      c: "composite type",
    },
  );
});

Deno.test("an oid finds a table that was renamed, and one relation comes once", async () => {
  await at.run("CREATE TABLE app.t (a integer)");
  const { oid } = await at.observe("t");
  await at.run("ALTER TABLE app.t RENAME TO u");
  const find = (names: readonly string[]) =>
    at.write((transaction) => observeRelations(transaction, { schema: "app", names, oids: [oid, 4_000_000_000] }));
  assertEquals((await find(["t"])).map(({ name }) => name), ["u"]);
  assertEquals((await find(["u"])).map(({ name }) => name), ["u"]);
});

Deno.test("users of a table are found with what they use", async () => {
  await at.run(
    "CREATE TABLE app.t (id integer PRIMARY KEY, a integer UNIQUE, b integer)",
    `CREATE TABLE copy."Other" (x integer CONSTRAINT "To T" REFERENCES app.t (a), y integer REFERENCES app.t)`,
    "CREATE VIEW copy.v AS SELECT a, b FROM app.t",
    "CREATE VIEW copy.grouped AS SELECT id, a FROM app.t GROUP BY id",
    "CREATE MATERIALIZED VIEW copy.m AS SELECT count(*) FROM app.t",
    `CREATE RULE also AS ON INSERT TO copy."Other" DO ALSO SELECT b FROM app.t`,
    "CREATE FUNCTION copy.total(x integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(b) FROM app.t; END",
  );
  await at.server.asSuperuser(
    "DROP PUBLICATION IF EXISTS one",
    "CREATE PUBLICATION one FOR TABLE app.t, TABLES IN SCHEMA copy",
  );
  try {
    const relation = await at.observe("t");
    assertEquals(relation.inbound, [
      { schema: "copy", table: "Other", name: "Other_y_fkey", columns: ["y"], references: ["id"], index: "t_pkey" },
      { schema: "copy", table: "Other", name: "To T", columns: ["x"], references: ["a"], index: "t_a_key" },
    ]);
    assertEquals(relation.readers, [
      { kind: "rule", name: 'copy."Other" also', columns: ["b"], constraints: [] },
      { kind: "view", name: "copy.grouped", columns: ["id", "a"], constraints: ["t_pkey"] },
      { kind: "materialized view", name: "copy.m", columns: [], constraints: [] },
      { kind: "function", name: "copy.total(integer)", columns: ["b"], constraints: [] },
      { kind: "view", name: "copy.v", columns: ["a", "b"], constraints: [] },
    ]);
    assertEquals([relation.publications, (await at.observe("Other", "copy")).publications], [["one"], ["one"]]);
  } finally {
    await at.server.asSuperuser("DROP PUBLICATION one");
  }
});

Deno.test("observeDependents() lists everything that is tied to a column", async () => {
  await at.run(
    `CREATE TABLE app.t (a integer PRIMARY KEY, b integer DEFAULT 3 CHECK (b > 0), c serial,
       g integer GENERATED ALWAYS AS (a * 2) STORED, CHECK (a < b), UNIQUE (a, b))`,
    "CREATE TABLE app.u (r integer REFERENCES app.t (a))",
    "CREATE INDEX sum ON app.t ((a + b)) WHERE a > 0",
    "CREATE VIEW app.v AS SELECT a FROM app.t",
    "CREATE VIEW app.over_v AS SELECT a FROM app.v",
    "CREATE STATISTICS app.stats ON a, b FROM app.t",
    "CREATE POLICY rows ON app.t USING (a > 0)",
    "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    "CREATE TRIGGER touch BEFORE UPDATE OF a ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
  );
  await at.server.asSuperuser("CREATE PUBLICATION two FOR TABLE app.t (a, b)");
  try {
    const { oid } = await at.observe("t");
    const list = async (...columns: readonly string[]) =>
      (await at.write((transaction) => observeDependents(transaction, oid, columns))).map((each) =>
        `${each.dropsSilently ? "" : "refuses: "}${each.kind} ${each.name}${
          each.of === undefined ? "" : ` of ${each.of}`
        }` +
        ` uses ${each.columns.join()} of ${each.width}`
      );
    assertEquals(await list("a"), [
      "constraint t_a_b_key uses a of 2",
      "constraint t_check uses a of 2",
      "constraint t_pkey uses a of 1",
      "refuses: constraint u_r_fkey of app.u uses a of 1",
      "refuses: generated column g uses a of 1",
      "index sum uses a of 2",
      "refuses: policy rows uses a of 1",
      "refuses: publication two uses a of 2",
      "statistics app.stats uses a of 2",
      "refuses: trigger touch uses a of 1",
      "refuses: view app.v uses a of 1",
    ]);
    assertEquals(await list("c", "g"), ["sequence app.t_c_seq uses c of 1"]);
    assertEquals((await list("a", "b")).filter((each) => each.includes("a,b")).length, 5);
  } finally {
    await at.server.asSuperuser("DROP PUBLICATION two");
  }
});

Deno.test("a helper check is no check of the table", async () => {
  await at.run(
    `CREATE TABLE app.t (a integer, "B" text, CONSTRAINT tablewright_nn_1 CHECK (a > 0))`,
    `ALTER TABLE app.t ADD CONSTRAINT tablewright_nn_2 CHECK ("B" IS NOT NULL) NOT VALID`,
  );
  const relation = await at.observe("t");
  assertEquals(relation.helperChecks, [{ name: "tablewright_nn_2", column: "B", validated: false }]);
  assertEquals(relation.constraints.map(({ name }) => name), ["tablewright_nn_1"]);
});

Deno.test("an index that is being built, and one whose build failed, are told from a good one", async () => {
  await at.run("CREATE TABLE app.t (a integer)", "INSERT INTO app.t VALUES (1), (1)");
  const look = async () =>
    (await at.observe("t")).indexes.map(({ name, valid, building }) => ({ name, valid, building }));
  const blocker = Promise.withResolvers<void>();
  const holds = Promise.withResolvers<void>();
  const holder = at.write(async (transaction) => {
    await mayRest(transaction);
    await transaction.query("LOCK TABLE app.t IN ROW EXCLUSIVE MODE");
    holds.resolve();
    await blocker.promise;
  });
  await holds.promise;
  const build = at.database.concurrently(
    { lockName: "test", signal },
    "CREATE UNIQUE INDEX CONCURRENTLY i ON app.t (a)",
  ).then(() => "built", () => "failed");
  await eventually("a build in progress", async () => (await look())[0]?.building === true ? true : undefined);
  assertEquals(await look(), [{ name: "i", valid: false, building: true }]);
  blocker.resolve();
  await holder;
  assertEquals(await build, "failed");
  assertEquals(await look(), [{ name: "i", valid: false, building: false }]);
  await at.run("DELETE FROM app.t", "REINDEX INDEX app.i");
  assertEquals(await look(), [{ name: "i", valid: true, building: false }]);
});

Deno.test("a table with 200 columns and 100 checks is read in one look", async () => {
  const columns = Array.from(
    { length: 200 },
    (_, i) => `c${i} integer NOT NULL${i % 2 === 0 ? ` CHECK (c${i} > ${i})` : ""}`,
  );
  await at.run(`CREATE TABLE app.wide (${columns.join(", ")})`);
  const table = ownTable(await at.observe("wide"));
  assertEquals([table.columns.length, table.checks.length, table.unmanaged.length], [200, 100, 0]);
});
