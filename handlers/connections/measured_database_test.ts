import { assertEquals } from "@std/assert";
import { definitionKind } from "./measured_database.ts";

for (
  const [sql, wanted] of [
    ['CREATE TABLE "public"."a" ("id" integer)', "CREATE TABLE"],
    ['CREATE UNIQUE INDEX CONCURRENTLY "i" ON "a" ("b")', "CREATE INDEX"],
    ['ALTER TABLE "a" ADD COLUMN "b" text', "ALTER TABLE"],
    ['DROP TABLE "a"', "DROP TABLE"],
    ["COMMENT ON TABLE \"a\" IS 'x'", "COMMENT"],
    ["\n  CREATE SCHEMA tablewright", "CREATE SCHEMA"],
    ["SELECT 'CREATE TABLE'", undefined],
    ["LOCK TABLE a", undefined],
    ["INSERT INTO tablewright.owned VALUES ('DROP TABLE')", undefined],
  ] as const
) {
  Deno.test(`definitionKind() of ${sql.trim().slice(0, 30)} is ${wanted}`, () => {
    assertEquals(definitionKind(sql), wanted);
  });
}
