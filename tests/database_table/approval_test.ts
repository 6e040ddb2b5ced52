import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { type SpecPart, TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("approval");
const { kubectl } = operator;
const objects = new TableObjects(operator);
const ANNOTATION = "kopf.demo/approve-plan";

interface Plan {
  readonly hash: string;
  readonly statements: readonly { sql: string; lock: string; rewrites: boolean; destructive: boolean }[];
}

async function planOf(name: string): Promise<Plan | undefined> {
  const object = await kubectl.get("databasetable", name) as { status?: { plan?: Plan } } | undefined;
  return object?.status?.plan;
}

async function waitingPlan(name: string): Promise<Plan> {
  await condition(operator, name, { type: "ApprovalRequired", status: "True", reason: "PlanNotApproved" });
  const plan = await planOf(name);
  if (plan === undefined) throw new Error(`${name} shows no plan`);
  return plan;
}

async function approve(name: string, hash: string, ...flags: readonly string[]): Promise<string> {
  const { stderr } = await kubectl.run([
    ...["annotate", "--overwrite", "databasetable", name, `${ANNOTATION}=${hash}`],
    ...flags,
  ]);
  return stderr;
}

/** An annotation is no new generation: the status of before it still holds for the object as it is. */
async function toldToApprove(name: string, words: string): Promise<void> {
  const says = async () => (await objects.message(name, "ApprovalRequired")).includes(words);
  await eventually(`${name} says "${words}"`, says);
}

async function annotationOf(name: string): Promise<string | undefined> {
  const object = await kubectl.get("databasetable", name) as { metadata: { annotations?: Record<string, string> } };
  return object.metadata.annotations?.[ANNOTATION];
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 12);
}

const TWO_COLUMNS: SpecPart = { columns: [{ ID: "integer" }, { NOTE: "text" }] };
const DROPPED: SpecPart = {
  approval: "Destructive",
  columns: [{ ID: "integer" }],
  changePolicy: { allow: ["DropColumn"] },
};

Deno.test("Always: nothing is made before the hash of its plan is set, and the approval goes with the plan", async () => {
  const shown = await objects.accepted("always", { ...TWO_COLUMNS, approval: "Always" });
  const plan = await waitingPlan("always");
  assertStringIncludes(shown, `plan ${plan.hash} waits for approval`);
  assertEquals(await sha256(plan.statements.map(({ sql }) => sql).join("\n")), plan.hash);
  assertEquals(plan.statements.map(({ destructive, rewrites }) => [destructive, rewrites]), [[false, false]]);
  assertEquals(await columnsOf(operator, "always"), []);
  assertStringIncludes(await approve("always", "0123456789ab"), `${ANNOTATION} is 0123456789ab, another plan`);
  await toldToApprove("always", "another plan");
  await approve("always", plan.hash);
  await objects.ready("always");
  assertEquals(await columnsOf(operator, "always"), ["id integer not null", "note text"]);
  await eventually("the approval is gone", async () => await annotationOf("always") === undefined);
  assertEquals(await planOf("always"), undefined);
  assertEquals(await operator.sql("SELECT FROM tablewright.approval"), []);
});

Deno.test("Destructive: only a plan that loses data waits, and says what it locks", async () => {
  await objects.applied("destructive", { ...TWO_COLUMNS, approval: "Destructive" });
  await operator.sql("INSERT INTO destructive VALUES (1, 'x')");
  await objects.accepted("destructive", DROPPED);
  const plan = await waitingPlan("destructive");
  assertEquals(plan.statements, [{
    sql: 'ALTER TABLE "public"."destructive" DROP COLUMN "note"',
    lock: "ACCESS EXCLUSIVE",
    rewrites: false,
    destructive: true,
  }]);
  assertEquals(await columnsOf(operator, "destructive"), ["id integer not null", "note text"]);
  await approve("destructive", plan.hash);
  await objects.ready("destructive");
  assertEquals(await columnsOf(operator, "destructive"), ["id integer not null"]);
  await eventually("the approval is gone", async () => await annotationOf("destructive") === undefined);

  // The same statement at another time is another decision.
  await objects.applied("destructive", { ...TWO_COLUMNS, approval: "Destructive" });
  await objects.accepted("destructive", DROPPED);
  assertEquals((await waitingPlan("destructive")).hash, plan.hash);
  assertEquals(await columnsOf(operator, "destructive"), ["id integer not null", "note text"]);
});

Deno.test("a plan that changed meanwhile needs its own hash", async () => {
  await objects.applied("changed", { columns: [{ ID: "integer" }, { A: "text" }, { B: "text" }] });
  const without = (...columns: unknown[]) => ({ ...DROPPED, columns: [{ ID: "integer" }, ...columns] });
  await objects.accepted("changed", without({ B: "text" }));
  const first = await waitingPlan("changed");
  await objects.accepted("changed", without());
  const second = await eventually("another plan", async () => {
    const plan = await planOf("changed");
    return plan?.hash === first.hash ? undefined : plan;
  });
  await approve("changed", first.hash);
  await toldToApprove("changed", `${first.hash}, another plan`);
  assertEquals((await columnsOf(operator, "changed")).length, 3);
  await approve("changed", second.hash);
  await objects.ready("changed");
  assertEquals(await columnsOf(operator, "changed"), ["id integer not null"]);
});

Deno.test("what stopped between two steps goes on without another approval, also when the annotation is gone", async () => {
  await objects.accepted("stopped", { ...TWO_COLUMNS, approval: "Always" });
  await approve("stopped", (await waitingPlan("stopped")).hash);
  await objects.ready("stopped");
  await operator.sql("INSERT INTO stopped VALUES (-1, 'x')");
  const checks = [{ name: "positive", expression: "ID > 0" }];
  await objects.accepted("stopped", { ...TWO_COLUMNS, approval: "Always", checks });
  const plan = await waitingPlan("stopped");
  assertEquals(plan.statements.map(({ sql }) => sql), [
    'ALTER TABLE "public"."stopped" ADD CONSTRAINT "positive" CHECK (id > 0) NOT VALID',
    'ALTER TABLE "public"."stopped" VALIDATE CONSTRAINT "positive"',
  ]);
  await approve("stopped", plan.hash);
  await objects.message("stopped", "ApplyFailed");
  assertEquals((await planOf("stopped"))?.statements.map(({ sql }) => sql), [plan.statements[1]?.sql]);
  await operator.stopOperator();
  await kubectl.ok(["annotate", "databasetable", "stopped", `${ANNOTATION}-`]);
  await operator.sql("UPDATE stopped SET id = 1");
  await operator.startOperator();
  await objects.ready("stopped");
  assertEquals(await objects.partsOf("stopped"), ["positive: CHECK ((id > 0))", "stopped_pkey: PRIMARY KEY (id)"]);
  assertEquals(await operator.sql("SELECT FROM tablewright.approval"), []);
});

Deno.test("who lacks the verb approve cannot approve, not even while the operator is down", async () => {
  await objects.accepted("guarded", { approval: "Always" });
  const { hash } = await waitingPlan("guarded");
  const rights = ["--verb=create,get,patch,update", "--resource=databasetables.kopf.demo"];
  await kubectl.ok(["create", "clusterrole", "approval-author", ...rights]);
  await kubectl.ok(["create", "rolebinding", "approval-author", "--clusterrole=approval-author", "--user=ann"]);
  await kubectl.granted("ann", "patch", "databasetables.kopf.demo");
  const refusal = "approving a plan (kopf.demo/approve-plan) needs the RBAC verb approve on databasetables.kopf.demo";
  assertStringIncludes(await approve("guarded", hash, "--as", "ann"), refusal);
  await operator.stopOperator();
  assertStringIncludes(await approve("guarded", hash, "--as", "ann"), refusal);
  // Nor is there a way around an approval.
  const policy = (value: string | null) => {
    const patch = JSON.stringify({ spec: { approval: value } });
    return ["patch", "databasetable", "guarded", "--type=merge", "-p", patch, "--as", "ann", "--dry-run=server"];
  };
  for (const weaker of ["Destructive", "Automatic", null]) {
    assertStringIncludes(
      (await kubectl.run(policy(weaker))).stderr,
      "a weaker spec.approval) needs the RBAC verb approve",
    );
  }
  const born = objects.manifest("born", { approval: "Always" }) as { metadata: Record<string, unknown> };
  const approved = { ...born, metadata: { ...born.metadata, annotations: { [ANNOTATION]: hash } } };
  assertStringIncludes((await kubectl.apply(approved, "--as", "ann")).stderr, refusal);
  await kubectl.ok(["create", "clusterrole", "approver", "--verb=approve", "--resource=databasetables.kopf.demo"]);
  await kubectl.ok(["create", "rolebinding", "approver", "--clusterrole=approver", "--user=ann"]);
  await eventually("ann may approve", async () => (await approve("guarded", hash, "--as", "ann")) === "");
  assertEquals((await kubectl.run(policy("Automatic"))).code, 0);
  assertEquals(await columnsOf(operator, "guarded"), []);
  await operator.startOperator();
  await objects.ready("guarded");
});

Deno.test("Always: a correction waits too, under Drifted, and is told as one when it has run", async () => {
  await objects.accepted("corrected", { ...TWO_COLUMNS, approval: "Always" });
  await approve("corrected", (await waitingPlan("corrected")).hash);
  await objects.ready("corrected");
  await operator.sql("ALTER TABLE corrected DROP COLUMN note");
  await objects.touch("corrected");
  const { hash, statements } = await waitingPlan("corrected");
  assertEquals(statements.map(({ sql }) => sql), ['ALTER TABLE "public"."corrected" ADD COLUMN "note" text']);
  await condition(operator, "corrected", { type: "Drifted", status: "True", reason: "ChangedByHand" });
  assertEquals(await columnsOf(operator, "corrected"), ["id integer not null"]);
  await approve("corrected", hash);
  await objects.ready("corrected");
  assertEquals(await columnsOf(operator, "corrected"), ["id integer not null", "note text"]);
  const { status } = await kubectl.get("databasetable", "corrected") as {
    status: { drift?: unknown; plan?: unknown; history: { change: string }[] };
  };
  assertEquals([status.drift, status.plan], [undefined, undefined]);
  assertEquals(status.history.map(({ change }) => change), ["Created", "Corrected"]);
  assertEquals(await annotationOf("corrected"), undefined);
});

Deno.test("a foreign key that waits for its table was approved with the rest, and runs when that is there", async () => {
  const references = { table: "approved_later", column: "ID" };
  await objects.accepted("approved-early", {
    columns: [{ ID: { type: "integer", references } }],
    approval: "Always",
  });
  const plan = await waitingPlan("approved-early");
  assertStringIncludes(plan.statements.at(-1)?.sql ?? "", 'REFERENCES "public"."approved_later"');
  await approve("approved-early", plan.hash);
  await objects.message("approved-early", "WaitingForReference");
  assertEquals((await planOf("approved-early"))?.statements, plan.statements.slice(1));
  await objects.applied("approved-later", {});
  await objects.ready("approved-early");
  assertStringIncludes((await objects.partsOf("approved_early")).join(), "REFERENCES approved_later(id)");
  assertEquals(await annotationOf("approved-early"), undefined);
  assertEquals(await operator.sql("SELECT FROM tablewright.approval"), []);
});

Deno.test("a plan that is refused, or waits for another table, stands in the status and goes when it has run", async () => {
  await objects.applied("shown", TWO_COLUMNS);
  await operator.restart(["--webhooks=off"]);
  await objects.accepted("shown", {});
  await objects.message("shown", "PlanRefused");
  assertEquals((await planOf("shown"))?.statements.map(({ sql }) => sql), [
    'ALTER TABLE "public"."shown" DROP COLUMN "note"',
  ]);
  await objects.applied("shown", TWO_COLUMNS);
  assertEquals(await planOf("shown"), undefined);
  await operator.restart();
  const references = { table: "not_yet", column: "ID" };
  await objects.accepted("early", { columns: [{ ID: { type: "integer", references } }] });
  await objects.message("early", "WaitingForReference");
  const [statement] = (await planOf("early"))?.statements ?? [];
  assertStringIncludes(statement?.sql ?? "", 'REFERENCES "public"."not_yet"');
  assertEquals(statement?.lock, "SHARE ROW EXCLUSIVE, SHARE ROW EXCLUSIVE on public.not_yet");
});

Deno.test("the operator stops", async () => {
  await operator.close();
});
