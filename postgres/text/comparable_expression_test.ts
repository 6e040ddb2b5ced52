import { assertEquals, assertNotEquals } from "@std/assert";
import { comparableExpression } from "./comparable_expression.ts";

const VARCHARS = new Set(["v"]);

async function bothOf(declared: string, stored: string) {
  return [await comparableExpression(declared, VARCHARS), await comparableExpression(stored, VARCHARS)] as const;
}

// Right: what pg_get_expr() of PostgreSQL 18 prints for the left.
const STORED: readonly (readonly [declared: string, stored: string])[] = [
  ["'x'", "'x'::text"],
  ["'x'", "'x'::character varying"],
  ["-1", "'-1'::integer"],
  ["CAST(('-1') AS integer)", "CAST(('-1'::integer) AS integer)"],
  ["0", "(0)::numeric"],
  ["true", "true"],
  ["a > 0", "(a > 0)"],
  ["t <> ''", "(t <> ''::text)"],
  ["v <> ''", "((v)::text <> ''::text)"],
  ["t IN ('a', 'b')", "(t = ANY (ARRAY['a'::text, 'b'::text]))"],
  ["t NOT IN ('a', 'b')", "(t <> ALL (ARRAY['a'::text, 'b'::text]))"],
  ["v IN ('a', 'b')", "((v)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"],
  ["t LIKE 'a%'", "(t ~~ 'a%'::text)"],
  ["a BETWEEN 1 AND 5", "((a >= 1) AND (a <= 5))"],
  ["a > 0 AND b > 0", "((a > 0) AND (b > 0))"],
  ["now()", "now()"],
];

for (const [declared, stored] of STORED) {
  Deno.test(`comparableExpression() knows ${declared} in ${stored}`, async () => {
    const [left, right] = await bothOf(declared, stored);
    assertEquals(left, right);
  });
}

Deno.test("comparableExpression() tells apart what does not do the same", async () => {
  for (
    const [declared, stored] of [
      ["a > 0", "(a >= 0)"],
      ["'1'", "1"],
      ["a = '1'", "((a)::text = '1'::text)"],
      ["t", "(t)::date"],
      ["t IN ('a')", "(t <> ALL (ARRAY['a'::text]))"],
    ] as const
  ) {
    const [left, right] = await bothOf(declared, stored);
    assertNotEquals(left, right);
  }
});
