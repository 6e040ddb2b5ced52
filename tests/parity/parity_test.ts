import { assertEquals, assertStringIncludes } from "@std/assert";
import { columnsOf, startTestOperator, type TestOperator } from "../harness/operator.ts";
import { reasonsOf, TableObjects } from "../harness/table_objects.ts";
import { eventually } from "../harness/wait.ts";
import type { ParityCase } from "./case.ts";
import { CATALOG_CASES } from "./catalog_cases.ts";
import { SPEC_CASES } from "./spec_cases.ts";
import { Lanes } from "../fixpoint/lanes.ts";

const CASES = [...SPEC_CASES, ...CATALOG_CASES];
const webhook = await startTestOperator("parity-webhook");
const loop = await startTestOperator("parity-loop", { flags: ["--webhooks=off"] });

/** What one of the two said: the faults in its words, or why the object is (not) Ready. */
interface Said {
  readonly faults: string;
  readonly reason: string;
}

const REFUSED = ["InvalidSpec", "PlanRefused", "OwnershipConflict"];
const results = new Map<
  ParityCase,
  { readonly webhook: Said; readonly loop: Said; readonly reasons: readonly string[] }
>();

const lanes = new Lanes([1, 2, 3], CASES, async (_lane, each) => {
  const table = `parity${CASES.indexOf(each)}`;
  const [first, second] = await Promise.all([change(webhook, each, table), change(loop, each, table)]);
  const reasons = first.code === 0 ? [] : reasonsOf(first.stderr).map((reason) => neutral(reason, webhook)).toSorted();
  const said = first.code === 0
    ? await saidOf(webhook, { table, faults: [] })
    : { faults: reasons.join("; "), reason: "denied" };
  if (second.code !== 0) throw new Error(`the API server itself refuses "${each.title}": ${second.stderr}`);
  results.set(each, { webhook: said, loop: await saidOf(loop, { table, faults: reasons }), reasons });
});

async function change(
  operator: TestOperator,
  { old, owner, sql = [], next, metadata = {} }: ParityCase,
  table: string,
) {
  const objects = new TableObjects(operator);
  const filledIn = <T>(value: T) =>
    JSON.parse(JSON.stringify(value).replaceAll(/TABLE(?=[_ "]|$)/g, table).replaceAll("ROLE", operator.role)) as T;
  if (owner !== undefined) await objects.applied(`${table}-owner`, { ...filledIn(owner), tableName: table });
  if (old !== undefined) await objects.applied(table, filledIn(old));
  for (const text of sql) {
    await operator.sql(
      text.replaceAll(/(?<!CREATE |ALTER )TABLE\b|TABLE(?=_)/g, table).replaceAll("ROLE", operator.role),
    );
  }
  const manifest = objects.manifest(table, filledIn(next)) as { metadata: Record<string, unknown> };
  return await operator.kubectl.apply({ ...manifest, metadata: { ...manifest.metadata, ...metadata } });
}

/** The state that the loop has come to; with the faults of the webhook the message is taken apart. */
async function saidOf(
  operator: TestOperator,
  { table, faults }: { readonly table: string; readonly faults: readonly string[] },
): Promise<Said> {
  const { reason, message } = await eventually(`${table} is settled`, async () => {
    const object = await operator.kubectl.get("databasetable", table) as {
      metadata: { generation: number };
      status?: { conditions?: { type: string; reason: string; message: string; observedGeneration: number }[] };
    };
    return object.status?.conditions?.find((each) =>
      each.type === "Ready" && each.observedGeneration === object.metadata.generation
    );
  });
  if (!REFUSED.includes(reason)) return { faults: "", reason };
  const text = neutral(message, operator);
  const rest = faults.reduce((left, fault) => left.replace(fault, ""), text).replaceAll("; ", "").trim();
  return { faults: rest === "" ? faults.join("; ") : text, reason: "denied" };
}

function neutral(text: string, { namespace, role }: TestOperator): string {
  return text.replaceAll(namespace, "NAMESPACE").replaceAll(role, "ROLE").trim();
}

for (const each of CASES) {
  Deno.test(`the webhook and the loop agree: ${each.title}`, async () => {
    await lanes.wait(each);
    const result = results.get(each);
    assertEquals(result?.loop, result?.webhook);
    assertEquals(result?.webhook.reason, each.faults === undefined ? each.reason ?? "Reconciled" : "denied");
    assertEquals(result?.reasons.map((reason) => reason.split(": ")[0]), each.faults ?? []);
  });
}

Deno.test("an object that says Forbid cannot be deleted, with the webhook and without", async () => {
  for (const operator of [webhook, loop]) {
    await new TableObjects(operator).applied("forbidden", { deletionPolicy: "Forbid" });
    const { code, stderr } = await operator.kubectl.run(["delete", "databasetable", "forbidden", "--wait=false"]);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "Forbid");
    assertEquals(await columnsOf(operator, "forbidden"), ["id integer not null"]);
  }
});

Deno.test("there are at least 60 cases, and both operators stop", async () => {
  await lanes.settle();
  assertEquals(CASES.length >= 60, true, `only ${CASES.length}`);
  await Promise.all([webhook.close(), loop.close()]);
});
