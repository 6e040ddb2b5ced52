import { assertEquals } from "@std/assert";
import { foldStatement, previewLines } from "./preview.ts";

Deno.test("foldStatement() keeps every part of a long statement in lines of at most 120 characters", () => {
  const sql = `CREATE TABLE "t" (${Array.from({ length: 40 }, (_, index) => `"column_${index}" integer`).join(", ")})`;
  const lines = foldStatement(sql);
  assertEquals(lines.filter((line) => line.length > 120), []);
  assertEquals(lines.map((line, index) => index === 0 ? line : line.slice(2)).join(" "), sql);
});

Deno.test("foldStatement() cuts a part that no line can hold", () => {
  const [line] = foldStatement(`ALTER TABLE t ADD COLUMN c text DEFAULT '${"x".repeat(500)}'`);
  assertEquals(line?.length, 120);
  assertEquals(line?.endsWith("…"), true);
});

Deno.test("previewLines() tells lock and rewrite of each statement and the size of the table", () => {
  const statement = { sql: "ALTER TABLE t", lock: "ACCESS EXCLUSIVE", rewrites: true, destructive: false } as const;
  assertEquals(previewLines([statement], { schema: "public", name: "t" }, 12), [
    "ALTER TABLE t -- ACCESS EXCLUSIVE lock, rewrites the table",
    "-- public.t has about 12 rows",
  ]);
});

Deno.test("previewLines() says nothing of locks on a table that is only being made", () => {
  const statement = { sql: "CREATE TABLE t ()", rewrites: false, destructive: false };
  assertEquals(previewLines([statement], { schema: "public", name: "t" }, undefined), ["CREATE TABLE t ()"]);
});
