import { FixpointDatabase, subjectOf } from "/tmp/i4/tests/fixpoint/fixpoint_database.ts";
import { table } from "/tmp/i4/tests/fixpoint/case.ts";
const at = await FixpointDatabase.start("prof");
async function time(name: string, f: () => Promise<unknown>) {
  const t = performance.now();
  const r = await f();
  console.log(name, (performance.now() - t).toFixed(1));
  return r;
}
for (let i = 0; i < 6; i++) {
  const schema = await time("schema", () => at.schema("f")) as string;
  await time("session", () => at.sessionState());
  const a = await time(
    "understand",
    () => subjectOf(table({ A: "text" }), { schema, number: i * 2, generation: 1 }),
  ) as any;
  await time("apply", () => at.apply(a));
  await time("observe", () => at.observe(a));
  const b = await time(
    "understand",
    () => subjectOf(table({ A: "text", B: "text" }), { schema, number: i * 2, generation: 2 }),
  ) as any;
  await time("apply2", () => at.apply(b));
  await time("state", () => at.stateOf(b));
  await time("query", () => at.query("select 1"));
}
await at.stop();
