import { assertEquals } from "@std/assert";
import { planTable } from "./plan.ts";
import { statementsFor } from "./statement.ts";
import type { Table } from "./table.ts";

const USERS: Table = {
  schema: "public",
  name: "users",
  columns: [
    { name: "id", type: "integer", notNull: true },
    { name: "email", type: "text", notNull: true, default: "''" },
  ],
  primaryKey: { name: "users_pkey", columns: ["id"] },
  unmanaged: [],
};

Deno.test("statementsFor() prints a table with its key and does not say NOT NULL twice", () => {
  const desired = { ...USERS, primaryKey: { columns: ["id"] } };
  assertEquals(statementsFor(planTable(desired, undefined), desired), [{
    sql: `CREATE TABLE "public"."users" ("id" integer, "email" text NOT NULL DEFAULT '', PRIMARY KEY ("id"))`,
    rewrites: false,
    destructive: false,
  }]);
});

Deno.test("statementsFor() names the table as it is called when each statement runs", () => {
  const desired = { ...USERS, name: "people", columns: USERS.columns.slice(0, 1) };
  assertEquals(statementsFor(planTable(desired, USERS), USERS).map((statement) => statement.sql), [
    `ALTER TABLE "public"."users" RENAME TO "people"`,
    `ALTER TABLE "public"."people" DROP COLUMN "email"`,
  ]);
});

Deno.test("statementsFor() marks what drops data and what rewrites", () => {
  const [id, email] = USERS.columns;
  const desired = { ...USERS, columns: id === undefined || email === undefined ? [] : [{ ...id, type: "bigint" }] };
  const statements = statementsFor(planTable(desired, USERS), USERS);
  assertEquals(statements.map(({ rewrites, destructive }) => ({ rewrites, destructive })), [
    { rewrites: true, destructive: true },
    { rewrites: false, destructive: true },
  ]);
});

Deno.test("statementsFor() quotes every name, also one that is made to break out", () => {
  const name = `x" (id int); DROP TABLE y; --`;
  const desired: Table = { ...USERS, name, columns: [], primaryKey: { columns: [name] } };
  assertEquals(
    statementsFor(planTable(desired, undefined), desired)[0]?.sql,
    `CREATE TABLE "public"."x"" (id int); DROP TABLE y; --" (PRIMARY KEY ("x"" (id int); DROP TABLE y; --"))`,
  );
});
