import { assertEquals } from "@std/assert";
import { type DataAnswer, describeAnswer } from "./answer.ts";
import type { DataQuestion } from "./question.ts";

const FRAME = { change: { kind: "SetNotNull", column: "a" }, table: { schema: "public", name: "t" } } as const;
const A = { name: "a", shown: "a" };
const B = { name: "b", shown: "c" };
const NULLS: DataQuestion = { ...FRAME, kind: "nulls", column: A };
const UNIQUE: DataQuestion = { ...FRAME, kind: "duplicates", columns: [A, B], nullsNotDistinct: false };
const ORPHANS: DataQuestion = {
  ...FRAME,
  kind: "orphans",
  columns: [A],
  references: { schema: "public", table: "parents", columns: ["id"] },
};
const LONG: DataQuestion = { ...FRAME, kind: "misfits", column: A, limit: { kind: "characters", maximum: 50 } };
const ROWS: DataQuestion = { ...FRAME, kind: "rows", columns: ["n"], value: "none" };

function violated(question: DataQuestion, count: number, rest: { more?: boolean; longest?: number } = {}): string {
  return describeAnswer({ question, kind: "violated", count, more: false, ...rest });
}

Deno.test("describeAnswer() counts in one sentence", () => {
  assertEquals(violated(NULLS, 12), "12 rows have no value for a");
  assertEquals(violated(NULLS, 1), "1 row has no value for a");
  assertEquals(violated(NULLS, 1000), "1,000 rows have no value for a");
  assertEquals(violated(NULLS, 1000, { more: true }), "more than 1,000 rows have no value for a");
  assertEquals(violated(NULLS, 7, { more: true }), "at least 7 rows have no value for a");
  assertEquals(violated(UNIQUE, 3), "3 values of (a, c) occur more than once");
  assertEquals(violated(ORPHANS, 5), "5 rows refer to no row of public.parents");
  assertEquals(violated(LONG, 2, { longest: 61 }), "the longest value of a has 61 characters");
  assertEquals(violated(ROWS, 4), "4 rows would have no value for n");
  assertEquals(violated({ ...ROWS, value: "same" }, 4), "4 rows would have the same value for n");
});

Deno.test("describeAnswer() names the limit that values do not keep", () => {
  const integer = { kind: "integer", from: "integer", minimum: "0", maximum: "1", type: "smallint" } as const;
  assertEquals(violated({ ...LONG, limit: integer }, 5), "5 values of a do not fit smallint");
  assertEquals(violated({ ...LONG, limit: { kind: "real" } }, 1), "1 value of a does not fit real");
  assertEquals(violated({ ...LONG, limit: { kind: "exactBits", length: 8 } }, 2), "2 values of a do not have 8 bits");
});

Deno.test("describeAnswer() says what holds and what nobody could tell", () => {
  assertEquals(describeAnswer({ question: UNIQUE, kind: "holds" }), "every value of (a, c) occurs once");
  const unknown: DataAnswer = { question: NULLS, kind: "unknown", reason: "locked", why: "a table is locked" };
  assertEquals(describeAnswer(unknown), "cannot tell whether every row has a value for a: a table is locked");
});
