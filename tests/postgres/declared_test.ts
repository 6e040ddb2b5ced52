import { assertEquals } from "@std/assert";
import { tableOf } from "../../postgres/catalog/observed.ts";
import { nextExpressions, NOTHING_DECLARED } from "../../postgres/registry/expressions.ts";
import type { Declared } from "../../postgres/registry/declared.ts";
import { nextMembers } from "../../postgres/registry/members.ts";
import type { OwnedTable } from "../../postgres/registry/registry.ts";
import { emptyTable } from "../../postgres/table.ts";
import { type CatalogDatabase, openCatalogDatabase } from "../harness/catalog_database.ts";
import { ASCENDING, index, rowOf } from "../harness/everything_table.ts";

let at: CatalogDatabase;

Deno.test.beforeAll(async () => {
  at = await openCatalogDatabase("declared");
});

Deno.test.beforeEach(() => at.clear());

Deno.test.afterAll(() => at?.stop());

Deno.test("five checks without names get their declared texts back, from one CREATE TABLE and from one ALTER TABLE", async () => {
  const texts = ["a > 5", "a > 4", "b > 3", "b > 2", "a > b"];
  const checks = texts.map((text) => `CHECK (${text})`);
  await at.run(
    `CREATE TABLE app.t (a integer ${checks[0]}, b integer, ${
      checks.slice(1).join(", ")
    }, CONSTRAINT mine CHECK (a > 0))`,
  );
  const created = await at.observe("t");
  const declared = { ...NOTHING_DECLARED, newChecks: texts, named: { "check/mine": "a > 0" } };
  const first = nextExpressions({}, { before: undefined, after: created, declared });
  assertEquals(created.constraints.length, 6);
  for (const [text, stored] of Object.values(first)) assertEquals(stored, `(${text})`);
  // The names say nothing about the order: t_a_check1 may be free again, t_check was taken in between.
  await at.run("ALTER TABLE app.t DROP CONSTRAINT t_a_check");
  const before = await at.observe("t");
  const added = ["b > 30", "a > 20", "a <> b", "a > 10", "b > 40"];
  await at.run(`ALTER TABLE app.t ${added.map((text) => `ADD CHECK (${text})`).join(", ")}`);
  const after = await at.observe("t");
  const second = nextExpressions(first, { before, after, declared: { ...NOTHING_DECLARED, newChecks: added } });
  assertEquals(Object.keys(second).length, 10);
  for (const [text, stored] of Object.values(second)) assertEquals(stored, `(${text})`);
});

Deno.test("indexes without names get their declared texts back", async () => {
  await at.run("CREATE TABLE app.t (a text, b text)");
  const before = await at.observe("t");
  const texts = ["upper(b)", "lower(b)", "upper(a)", "lower(a)"];
  for (const text of texts) await at.run(`CREATE INDEX ON app.t (a, (${text})) WHERE ${text} <> ''`);
  await at.run("CREATE INDEX ON app.t (b)", "CREATE INDEX named ON app.t (a)");
  const after = await at.observe("t");
  const newIndexes = texts.map((expression) =>
    index("", [{ column: "a", ...ASCENDING }, { expression, ...ASCENDING }], { where: `${expression} <> ''` })
  );
  const expressions = nextExpressions({}, { before, after, declared: { ...NOTHING_DECLARED, newIndexes } });
  assertEquals(Object.keys(expressions).length, 8);
  for (const [key, [text, stored]] of Object.entries(expressions)) {
    assertEquals(stored, key.endsWith("/where") ? `(${text?.replace("''", "''::text")})` : text);
  }
});

Deno.test("declared texts stay through DDL that changes every stored one", async () => {
  await at.run(
    "CREATE TABLE app.t (v varchar(9) DEFAULT 'a' CHECK (v IN ('a', 'b')))",
    "CREATE INDEX i ON app.t (lower(v)) WHERE v IN ('c', 'd')",
  );
  const created = await at.observe("t");
  const declared: Declared = {
    named: { "default/v": "'a'", "index/i/1": "lower(v)", "index/i/where": "v IN ('c', 'd')" },
    newChecks: ["v IN ('a', 'b')"],
    newIndexes: [],
  };
  const row = rowOf(created, declared);
  await at.run(
    "ALTER TABLE app.t ALTER v TYPE text, ALTER v SET DEFAULT 'a'",
    "ALTER TABLE app.t RENAME CONSTRAINT t_v_check TO c",
    "ALTER INDEX app.i RENAME TO j",
  );
  const after = await at.observe("t");
  // ALTER TYPE made them anew, and only the name tells which is which.
  const renamed = { ...NOTHING_DECLARED, dropped: [], renamed: { t_v_check: "c", i: "j" } };
  const expressions = nextExpressions(row.expressions, { before: created, after, declared: renamed });
  const stored = (all: OwnedTable["expressions"]) => Object.values(all).map(([, text]) => text);
  assertEquals(stored(expressions).filter((text) => stored(row.expressions).includes(text)), []);
  const members = nextMembers(row.members, created, after);
  const table = tableOf(after, { row: { ...row, members, expressions }, desired: emptyTable("app", "t") });
  assertEquals(
    [table.columns[0]?.default, table.checks, table.indexes[0]?.keys[0]?.expression, table.indexes[0]?.where],
    ["'a'", [{ name: "c", expression: "v IN ('a', 'b')", validated: true }], "lower(v)", "v IN ('c', 'd')"],
  );
});
