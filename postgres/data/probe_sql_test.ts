import { assertEquals, assertStringIncludes } from "@std/assert";
import { probeSql } from "./probe_sql.ts";
import type { DataQuestion } from "./question.ts";

const FRAME = { change: { kind: "SetNotNull", column: "a" }, table: { schema: "public", name: "t" } } as const;
const EVIL = { name: `a"; DROP TABLE t; --`, shown: "a" };
const ALL = { scope: "All", composite: new Set<string>() } as const;

Deno.test("probeSql() quotes every name", () => {
  const question: DataQuestion = {
    ...FRAME,
    kind: "orphans",
    columns: [EVIL],
    references: { schema: EVIL.name, table: EVIL.name, columns: [EVIL.name] },
  };
  const sql = probeSql({ ...question, table: { schema: EVIL.name, name: EVIL.name } }, ALL);
  const quoted = `"a""; DROP TABLE t; --"`;
  assertEquals(sql.replaceAll(quoted, "").includes("DROP"), false);
  assertEquals(sql.split(quoted).length - 1, 7);
});

Deno.test("probeSql() counts up to one more than is shown, and samples when told", () => {
  const question: DataQuestion = { ...FRAME, kind: "nulls", column: { name: "a", shown: "a" } };
  assertEquals(
    probeSql(question, ALL),
    `SELECT count(*) AS found, NULL::integer AS longest FROM (SELECT FROM ONLY "public"."t" AS c ` +
      `WHERE c."a" IS NULL LIMIT 1001) AS s`,
  );
  assertStringIncludes(probeSql(question, { ...ALL, scope: "Sample" }), `"t" AS c TABLESAMPLE SYSTEM (1) WHERE`);
  assertStringIncludes(probeSql(question, { ...ALL, composite: new Set(["a"]) }), `num_nulls(c."a") > 0`);
});
