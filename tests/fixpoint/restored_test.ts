import { assert, assertEquals } from "@std/assert";
import { isUnbound } from "../../postgres/situation/situation.ts";
import { foreignParts } from "../../postgres/registry/foreign_text.ts";
import { dumpSchemas } from "../harness/dump.ts";
import { table } from "./case.ts";
import { FixpointDatabase, type Subject, subjectOf } from "./fixpoint_database.ts";
import { assertRestored } from "./restored.ts";
import { nextNumber } from "./run_case.ts";

let at: FixpointDatabase;

Deno.test.beforeAll(async () => {
  at = await FixpointDatabase.start("restored");
});

Deno.test.afterAll(() => at?.stop());

/** Texts that PostgreSQL prints in another way when it reads its own print. */
const PRINTED_OTHERWISE = table({
  KIND: { type: "varchar(20)", check: "KIND IN ('a', 'b')" },
  CODE: { type: "varchar(20)", defaultExpression: "lower('X')" },
  SHORT: { type: "boolean", generatedAs: "KIND IN ('a', 'b')" },
}, {
  checks: [{ name: "codes", expression: "CODE NOT IN ('c', 'd') AND KIND LIKE 'x%'" }],
  indexes: [
    { name: "some", columns: ["CODE"], where: "KIND IN ('a', 'c')" },
    { name: "computed", expressions: ["CODE IN ('e', 'f')", "lower(KIND)"], where: "CODE IN ('a')" },
  ],
});

async function made(spec: Record<string, unknown>): Promise<Subject> {
  const schema = await at.schema("r");
  const subject = await subjectOf(at, spec, { schema, number: nextNumber(), generation: 1 });
  await at.apply(subject);
  return subject;
}

Deno.test("texts that a restored server prints otherwise are no drift", async () => {
  assert(await assertRestored(at, [await made(PRINTED_OTHERWISE)]) >= 5);
});

Deno.test("they are none either if the dump was restored twice before the operator looked", async () => {
  const subject = await made(PRINTED_OTHERWISE);
  const once = await at.restored("restored_once", [subject.wanted.desired.schema]);
  try {
    assert(await assertRestored(once, [subject]) >= 5);
  } finally {
    await once.stop();
  }
});

Deno.test("a dump that is restored over its own database is no drift: the tables have other oids there", async () => {
  const subject = await made(PRINTED_OTHERWISE);
  const { schema } = subject.wanted.desired;
  const copy = await at.restored("restored_over", [schema]);
  try {
    await copy.apply(subject);
    const restore = await dumpSchemas(copy.server, [schema]);
    await copy.server.asSuperuser(`DROP SCHEMA tablewright, ${schema} CASCADE`);
    await restore(copy.server);
    const { situation, plan } = await copy.observe(subject);
    assertEquals([situation.kind === "owned" && isUnbound(situation.row), plan.changes], [true, []]);
    assertEquals((await copy.apply(subject)).outcome.statements, []);
    assertEquals((await copy.observe(subject)).plan.changes, []);
  } finally {
    await copy.stop();
  }
});

Deno.test("what somebody changed by hand before the dump, or behind it, is drift", async () => {
  const subject = await made(PRINTED_OTHERWISE);
  const { schema } = subject.wanted.desired;
  await at.run(
    `ALTER TABLE ${schema}.t DROP CONSTRAINT codes`,
    `ALTER TABLE ${schema}.t ADD CONSTRAINT codes CHECK (code NOT IN ('c', 'X'))`,
  );
  const restored = await at.restored("restored_changed", [schema]);
  try {
    await restored.run(`ALTER TABLE ${schema}.t ALTER code SET DEFAULT lower('Y')`);
    const { plan } = await restored.apply(subject);
    assertEquals(plan?.changes.map(({ kind }) => kind), ["DropConstraint", "SetDefault", "AddCheck"]);
    const { situation, plan: second } = await restored.observe(subject);
    assertEquals(second.changes, []);
    assertEquals(situation.kind === "owned" && foreignParts(situation.row.expressions, situation.relation), []);
  } finally {
    await restored.stop();
  }
});
