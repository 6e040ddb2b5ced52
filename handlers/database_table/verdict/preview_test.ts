import { assertEquals } from "@std/assert";
import type { Statement } from "../../../postgres/statement/statement.ts";
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

const STATEMENT: Statement = {
  sql: "ALTER TABLE t",
  locks: [{ table: "public.t", mode: "ACCESS EXCLUSIVE" }, { table: "public.p", mode: "SHARE ROW EXCLUSIVE" }],
  rewrites: true,
  rebuildsIndexes: false,
  destructive: false,
  concurrent: false,
  hazards: [],
};

Deno.test("previewLines() tells locks and rewrite of each statement and the size of the table", () => {
  const step = { kind: "Transaction", changes: [], statements: [STATEMENT] } as const;
  assertEquals(previewLines([step], { schema: "public", name: "t", rowEstimate: 12 }), [
    "ALTER TABLE t -- ACCESS EXCLUSIVE lock, SHARE ROW EXCLUSIVE lock on public.p, rewrites the table",
    "-- public.t has about 12 rows",
  ]);
});

Deno.test("previewLines() leaves the rest of a long plan to the status, and still tells the size of the table", () => {
  const statements = Array.from({ length: 100 }, (_, index) => ({ ...STATEMENT, sql: `ALTER TABLE t ${index}` }));
  const lines = previewLines([{ kind: "Transaction", changes: [], statements }], {
    schema: "s",
    name: "t",
    rowEstimate: undefined,
  });
  assertEquals(lines.join("").length < 3_500, true);
  const [pointer, size] = lines.slice(-2);
  assertEquals(
    pointer,
    `-- and ${100 - lines.length + 2} more lines: status.plan has every statement until it has run`,
  );
  assertEquals(size, "-- s.t has an unknown number of rows (never analyzed)");
});

Deno.test("previewLines() says nothing of locks on a table that is only being made", () => {
  const statement = { ...STATEMENT, sql: "CREATE TABLE t ()", locks: [] };
  const step = { kind: "Transaction", changes: [], statements: [statement] } as const;
  assertEquals(previewLines([step], undefined), ["CREATE TABLE t ()"]);
});
