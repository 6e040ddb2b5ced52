import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { roleStatements } from "../harness/database_role.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { startTestDatabase } from "../harness/postgres_database.ts";

const operator = await startTestOperator("prepared-role", { roleScript: "database_role_prepared.sql" });
const { kubectl, namespace, role } = operator;

function table(columns: readonly unknown[]): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name: "prepared", namespace },
    spec: { tableName: "prepared", columns, primaryKey: "ID" },
  };
}

Deno.test("a role that may make no schema works with a registry schema that was prepared for it", async () => {
  await operator.sql("CREATE TABLE public.countries (code text PRIMARY KEY)");
  await operator.sql(`GRANT REFERENCES, SELECT ON public.countries TO ${role}`);
  const country = { COUNTRY: { type: "text", references: { table: "countries", column: "code" } } };
  assertEquals((await kubectl.apply(table([{ ID: "integer" }]))).code, 0);
  await condition(operator, "prepared", { type: "Ready", status: "True" });
  assertEquals((await kubectl.apply(table([{ ID: "integer" }, country]))).code, 0);
  await condition(operator, "prepared", { type: "Ready", status: "True" });
  assertEquals(await columnsOf(operator, "prepared"), ["id integer not null", "country text"]);
  await kubectl.ok(["delete", "databasetable", "prepared", "--timeout=60s"]);
  assertEquals(await columnsOf(operator, "prepared"), []);
  const [rights] = await operator.sql(
    `SELECT has_database_privilege('${role}', current_database(), 'CREATE') AS schemas, rolsuper, rolcreaterole, rolcreatedb,
       rolreplication, rolbypassrls FROM pg_roles WHERE rolname = '${role}'`,
  );
  assertEquals(Object.values(rights ?? {}), [false, false, false, false, false, false]);
});

for (const script of ["database_role.sql", "database_role_prepared.sql"] as const) {
  Deno.test(`an owner of the database who may create roles, and is no superuser, can run ${script}`, async () => {
    const name = script.replace(".sql", "");
    const database = await startTestDatabase(name);
    const [administrator, made] = [`${database.database}_administrator`, `${database.database}_made`];
    await database.asSuperuser(
      `DROP ROLE IF EXISTS ${made}`,
      `DROP ROLE IF EXISTS ${administrator}`,
      `CREATE ROLE ${administrator} LOGIN CREATEROLE PASSWORD 'administrator'`,
      `ALTER DATABASE ${database.database} OWNER TO ${administrator}`,
    );
    const url = new URL(database.superuserUrl);
    [url.username, url.password] = [administrator, "administrator"];
    const sql = postgres(url.href, { max: 1, fetch_types: false, onnotice() {} });
    await sql.unsafe(roleStatements(script, { role: made, password: "made", database: database.database }));
    await sql.end({ timeout: 1 });
    const [rights] = await database.asSuperuser(
      `SELECT has_database_privilege('${made}', current_database(), 'CONNECT') AS connect,
         has_database_privilege('${made}', current_database(), 'CREATE') AS create,
         has_schema_privilege('${made}', 'public', 'USAGE, CREATE') AS public,
         (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'tablewright') AS registry`,
    );
    const isPrepared = script === "database_role_prepared.sql";
    assertEquals(rights, { connect: true, create: !isPrepared, public: true, registry: isPrepared ? made : null });
    await database.stop();
  });
}

Deno.test("the operator of this file stops in order", async () => {
  await operator.close();
});
