import { assertEquals } from "@std/assert";
import type { Step } from "../../../postgres/plan/step.ts";
import type { Statement } from "../../../postgres/statement/statement.ts";
import { describeApprovalNeeded, needsApproval, PlanApproval } from "./approval.ts";
import { planStatus } from "../plan_status.ts";

function statement(sql: string, destructive = false): Statement {
  return { sql, locks: [], rewrites: false, rebuildsIndexes: false, destructive, concurrent: false, hazards: [] };
}

function planOf(...texts: readonly string[]) {
  return { steps: texts.length === 0 ? [] : [step(...texts)], waitingSteps: [] };
}

function step(...texts: readonly string[]): Step {
  return { kind: "Transaction", changes: [], statements: texts.map((sql) => statement(sql)) };
}

Deno.test("needsApproval() asks for what loses data, or for everything that runs", () => {
  const harmless = [statement("A")];
  const lossy = [...harmless, statement("B", true)];
  assertEquals([[], harmless, lossy].map((each) => needsApproval("Automatic", each)), [false, false, false]);
  assertEquals([[], harmless, lossy].map((each) => needsApproval("Destructive", each)), [false, false, true]);
  assertEquals([[], harmless, lossy].map((each) => needsApproval("Always", each)), [false, true, true]);
});

Deno.test("objection() names the hash, takes it as the approval, and lets the rest of the plan run", async () => {
  const asked = await new PlanApproval({ policy: "Always", annotation: undefined, remembered: [] }).objection(
    planOf("A", "B"),
  );
  assertEquals(asked?.hash, (await planStatus([statement("A"), statement("B")]))?.hash);
  const approval = new PlanApproval({ policy: "Always", annotation: asked?.hash, remembered: [] });
  assertEquals(await approval.objection(planOf("A", "B")), undefined);
  assertEquals(await approval.objection(planOf("B")), undefined);
  assertEquals((await approval.objection(planOf("A")))?.approved, asked?.hash);
});

Deno.test("objection() lets the rest of a remembered plan run, and nothing else", async () => {
  const approval = new PlanApproval({ policy: "Always", annotation: undefined, remembered: ["A", "B", "C"] });
  for (const rest of [["A", "B", "C"], ["B", "C"], ["C"], []]) {
    assertEquals(await approval.objection(planOf(...rest)), undefined);
  }
  for (const other of [["A", "B"], ["B"], ["C", "B"], ["X", "A", "B", "C"]]) {
    assertEquals((await approval.objection(planOf(...other)))?.kind, "ApprovalNeeded");
  }
});

Deno.test("objection() takes the approval of a whole plan for what waits for another table too", async () => {
  const whole = { steps: [step("A")], waitingSteps: [step("KEY")] };
  const asked = await new PlanApproval({ policy: "Always", annotation: undefined, remembered: [] }).objection(whole);
  assertEquals(asked?.hash, (await planStatus([statement("A"), statement("KEY")]))?.hash);
  const approval = new PlanApproval({ policy: "Always", annotation: undefined, remembered: ["A", "KEY"] });
  assertEquals(await approval.objection({ steps: [step("KEY")], waitingSteps: [] }), undefined);
  // Nothing could run, so nobody is asked.
  const late = new PlanApproval({ policy: "Always", annotation: undefined, remembered: [] });
  assertEquals(await late.objection({ steps: [], waitingSteps: [step("KEY")] }), undefined);
  assertEquals((await late.objection({ steps: [step("KEY")], waitingSteps: [] }))?.kind, "ApprovalNeeded");
});

Deno.test("describeApprovalNeeded() repeats no foreign text", () => {
  const words = describeApprovalNeeded({ hash: "0123456789ab", approved: "'; DROP" });
  assertEquals(words.includes("DROP"), false);
});

Deno.test("planStatus() is bounded, but its hash is of everything", async () => {
  const many = Array.from({ length: 500 }, (_, index) => statement(`S${index} ${"x".repeat(9_000)}`));
  const status = await planStatus(many);
  const shown = status?.statements ?? [];
  assertEquals(shown.length + (status?.omitted ?? 0), 500);
  assertEquals(JSON.stringify(status).length < 80_000, true);
  assertEquals(status?.hash === (await planStatus(many.slice(1)))?.hash, false);
  assertEquals(await planStatus([]), undefined);
});
