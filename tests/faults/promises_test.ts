import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const TESTS = fromFileUrl(new URL("..", import.meta.url));
const DOCUMENT = fromFileUrl(new URL("../../docs/operations.md", import.meta.url));

interface Plan {
  readonly file: string;
  readonly name: string;
}

/** The plans of one row: a file is named once, and holds for the names behind it. */
function plansOf(row: string): readonly Plan[] {
  let file = "";
  return [...row.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => {
    const named = /^([a-z_/]+\.ts): (.+)$/.exec(text);
    file = named?.[1] ?? file;
    return { file, name: named?.[2] ?? text };
  });
}

async function namedPlans(): Promise<readonly Plan[]> {
  const text = await Deno.readTextFile(DOCUMENT);
  const section = text.split("## What is promised, and which plan holds it")[1] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ")).slice(1);
  return rows.flatMap((row) => plansOf(row.split(" | ")[1] ?? ""));
}

Deno.test("every plan that docs/operations.md names is a test", async () => {
  const plans = await namedPlans();
  assertEquals(plans.length > 30, true);
  const missing: Plan[] = [];
  for (const plan of plans) {
    const source = await Deno.readTextFile(`${TESTS}${plan.file}`).catch(() => "");
    if (!source.includes(`"${plan.name}"`)) missing.push(plan);
  }
  assertEquals(missing, []);
});

Deno.test("every file of plans holds a promise", async () => {
  const named = new Set((await namedPlans()).map(({ file }) => file));
  const entries = await Array.fromAsync(Deno.readDir(`${TESTS}faults/plans`));
  const files = entries.map(({ name }) => `faults/plans/${name}`);
  assertEquals(files.filter((file) => !named.has(file)), []);
});
