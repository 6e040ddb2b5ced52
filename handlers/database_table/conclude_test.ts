import { assertEquals } from "@std/assert";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { emptyRelation } from "../../postgres/catalog/relation.ts";
import type { Attempt } from "./attempt.ts";
import { concludeApply } from "./conclude.ts";
import { NO_DRIFT } from "./drift/drift.ts";

const OBJECT: DatabaseTable = {
  apiVersion: "kopf.demo/v1",
  kind: "DatabaseTable",
  metadata: { name: "a", namespace: "b", uid: "u", generation: 1, resourceVersion: "1", creationTimestamp: "" },
};
const CREATE = { sql: "CREATE TABLE" };
const KEY = { references: { schema: "public", table: "customers" } };

/** What follows from a plan of which that much ran, and that much of which waits. */
async function concludeDone(statements: readonly unknown[], waiting: readonly unknown[]): Promise<unknown> {
  const context = { recordEvent() {}, database: { address: "h:1/shop" }, gate: { databaseId: "7/16384" } };
  const outcome = { kind: "done", relation: emptyRelation("public", "orders"), statements, waiting, created: true };
  const judge = { found: NO_DRIFT, left: NO_DRIFT, ignoresDrift: false };
  const ended = { outcome, judge, approval: { isHeld: false }, specHash: "h" };
  const { happened, waitsFor } = await concludeApply(
    { object: OBJECT, context } as unknown as Attempt,
    ended as unknown as Parameters<typeof concludeApply>[1],
  ) as { readonly happened?: string; readonly waitsFor?: readonly string[] };
  return { happened, waitsFor };
}

Deno.test("concludeApply() tells those that wait for a table that it was made, and what this one waits for", async () => {
  const happened = "table public.orders";
  assertEquals(await concludeDone([CREATE], []), { happened, waitsFor: undefined });
  assertEquals(await concludeDone([CREATE], [KEY]), { happened, waitsFor: ["table public.customers"] });
  assertEquals(await concludeDone([], [KEY]), { happened: undefined, waitsFor: ["table public.customers"] });
});

Deno.test("concludeApply() tells of a plan that is postponed what ran before, and that it waits", async () => {
  const events: string[] = [];
  const context = { recordEvent: (_object: unknown, { reason }: { reason: string }) => void events.push(reason) };
  const outcome = { kind: "postponed", statements: [{ sql: "ALTER TABLE" }], created: false, adopted: false };
  const judge = { found: NO_DRIFT, left: NO_DRIFT };
  const conclusion = await concludeApply(
    { object: OBJECT, context } as unknown as Attempt,
    { outcome, judge, approval: { isHeld: false }, specHash: "h" } as unknown as Parameters<typeof concludeApply>[1],
  );
  if (conclusion.kind !== "Postponed") throw new Error(conclusion.kind);
  const { finding, ran } = conclusion.report;
  assertEquals([finding.kind, "reason" in finding && finding.reason], ["Waiting", "WaitingForOtherBuilds"]);
  assertEquals([ran, events], [{ change: "Altered", statements: ["ALTER TABLE"] }, ["Altered"]]);
});
