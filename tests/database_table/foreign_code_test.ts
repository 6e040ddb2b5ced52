import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";

// Without admission: the loop is the only guard.
const operator = await startTestOperator("foreigncode", { flags: ["--webhooks", "off"] });
const { kubectl } = operator;

function table(name: string, spec: Record<string, unknown>): unknown {
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name, namespace: operator.namespace }, spec };
}

Deno.test("the CHECK of a domain never runs with the operator's rights", async () => {
  await operator.sql("CREATE SCHEMA evil");
  await operator.sql("CREATE TABLE public.ran (who text)");
  await operator.sql("GRANT ALL ON public.ran TO PUBLIC");
  await operator.sql(
    "CREATE FUNCTION evil.f(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END $$",
  );
  await operator.sql("CREATE DOMAIN evil.d AS text CHECK (evil.f(VALUE))");
  await operator.sql("CREATE DOMAIN evil.e AS evil.d");
  await operator.sql("GRANT USAGE ON SCHEMA evil TO PUBLIC");
  const spec = { tableName: "HOST", columns: [{ ID: "integer" }], primaryKey: "ID" };
  await kubectl.apply(table("host", spec));
  await condition(operator, "host", { type: "Ready", status: "True" });
  await operator.sql("INSERT INTO host VALUES (1)");
  for (const type of ["evil.d", "evil.e", "evil.d[]"]) {
    await kubectl.apply(table("host", { ...spec, columns: [{ ID: "integer" }, { X: { type, default: "a" } }] }));
    const ready = await condition(operator, "host", { type: "Ready", status: "False", reason: "InvalidSpec" });
    assertStringIncludes(String(ready["message"]), "spec.columns[1].X.type");
  }
  assertEquals(await operator.sql("SELECT who FROM public.ran"), []);
  assertEquals(await columnsOf(operator, "host"), ["id integer not null"]);
});

Deno.test("enums and domains without a check are types like any other", async () => {
  await operator.sql("CREATE TYPE public.mood AS ENUM ('glad', 'sad')");
  await operator.sql("CREATE DOMAIN public.label AS varchar(20)");
  const columns = [{ ID: "integer" }, { M: { type: "public.mood", default: "glad" } }, { L: "public.label" }];
  await kubectl.apply(table("moods", { tableName: "MOODS", columns, primaryKey: "ID" }));
  await condition(operator, "moods", { type: "Ready", status: "True" });
  await kubectl.apply(table("moods", { tableName: "MOODS", columns: [...columns, { N: "text" }], primaryKey: "ID" }));
  await condition(operator, "moods", { type: "Ready", status: "True" });
  assertEquals((await columnsOf(operator, "moods")).length, 4);
});

Deno.test("a changed schema never takes a stranger's table", async () => {
  await operator.sql("CREATE SCHEMA s2");
  await operator.sql(`GRANT USAGE, CREATE ON SCHEMA s2 TO ${operator.role}`);
  const spec = { tableName: "VICTIM", columns: [{ ID: "integer" }], primaryKey: "ID" };
  await kubectl.apply(table("victim", spec));
  await condition(operator, "victim", { type: "Ready", status: "True" });
  await operator.sql("CREATE TABLE s2.victim (id integer PRIMARY KEY)");
  await operator.sql("INSERT INTO s2.victim VALUES (7)");
  // The CRD's own rule refuses the change: somebody wrote it before the rule was there.
  await operator.sql("UPDATE tablewright.owned_table SET schema_name = 's3' WHERE table_name = 'victim'");
  await kubectl.ok(["annotate", "databasetable", "victim", "look=again"]);
  const ready = await condition(operator, "victim", { type: "Ready", status: "False", reason: "OwnershipConflict" });
  assertStringIncludes(String(ready["message"]), "spec.schema: is immutable");
  await kubectl.ok(["delete", "databasetable", "victim"]);
  assertEquals(await operator.sql("SELECT id FROM s2.victim"), [{ id: 7 }]);
});

Deno.test("a table that was moved to another schema by hand is left where it is", async () => {
  await kubectl.apply(table("wander", { tableName: "WANDER", columns: [{ ID: "integer" }], primaryKey: "ID" }));
  await condition(operator, "wander", { type: "Ready", status: "True" });
  await operator.sql("ALTER TABLE public.wander SET SCHEMA s2");
  await kubectl.ok(["annotate", "databasetable", "wander", "look=again"]);
  const ready = await condition(operator, "wander", { type: "Ready", status: "False", reason: "OwnershipConflict" });
  assertStringIncludes(String(ready["message"]), "was moved by hand");
});

Deno.test("the operator stops in order", () => operator.close());
