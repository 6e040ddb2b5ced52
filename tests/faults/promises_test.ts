import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const TESTS = fromFileUrl(new URL("..", import.meta.url));
const DOCUMENT = fromFileUrl(new URL("../../docs/promises.md", import.meta.url));
const PLANS = "faults/plans";

interface Plan {
  /** Below tests/. */
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
  const rows = text.split("\n").filter((line) => line.startsWith("| ")).slice(1);
  return rows.flatMap((row) => plansOf(row.split(" | ")[1] ?? ""));
}

/** Every test that the files of plans register, without running any. */
async function registeredPlans(): Promise<readonly Plan[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${TESTS}${PLANS}`));
  const found: Plan[] = [];
  const real = Deno.test;
  try {
    for (const { name: fileName } of entries) {
      const file = `${PLANS}/${fileName}`;
      const note = (name: string) => void found.push({ file, name });
      const hook = () => {};
      Object.assign(Deno, { test: Object.assign(note, { beforeAll: hook, afterAll: hook, beforeEach: hook }) });
      await import(`${TESTS}${file}`);
    }
  } finally {
    Object.assign(Deno, { test: real });
  }
  return found;
}

/** A table need not repeat what all names of a file begin with. */
function isNamedBy(plan: Plan, short: Plan): boolean {
  return plan.file === short.file && (plan.name === short.name || plan.name.endsWith(`: ${short.name}`));
}

const registered = await registeredPlans();

Deno.test("every plan that docs/promises.md names is a test", async () => {
  const named = await namedPlans();
  assertEquals(named.length > 30, true);
  const missing: Plan[] = [];
  for (const plan of named) {
    const source = plan.file.startsWith(PLANS) ? "" : await Deno.readTextFile(`${TESTS}${plan.file}`).catch(() => "");
    const isThere = source.includes(`"${plan.name}"`) || registered.some((each) => isNamedBy(each, plan));
    if (!isThere) missing.push(plan);
  }
  assertEquals(missing, []);
});

Deno.test("every plan holds a promise of docs/promises.md", async () => {
  const named = await namedPlans();
  assertEquals(registered.length > 30, true);
  assertEquals(registered.filter((plan) => !named.some((short) => isNamedBy(plan, short))), []);
});
