import { assertEquals } from "@std/assert";
import { StatementTimeout } from "../../postgres/apply/long_step.ts";
import { failureOf } from "./failure.ts";

Deno.test("failureOf() tells which statements ran too long and what to raise, and does not ask for another try at once", () => {
  const sql = 'ALTER TABLE "public"."t" ALTER COLUMN "a" TYPE bigint';
  const statement = {
    sql,
    locks: [],
    rewrites: true,
    rebuildsIndexes: false,
    destructive: false,
    concurrent: false,
    hazards: [],
  };
  const step = { kind: "Transaction", changes: [], statements: [statement] } as const;
  assertEquals(failureOf(new StatementTimeout(step, 60_000)), {
    reason: "StatementTimeout",
    message: "a statement ran longer than changePolicy.statementTimeoutSeconds (60) and was undone: " +
      `raise it, or make the change by hand: ${sql}`,
    databaseReachable: true,
    retryNow: false,
  });
});
