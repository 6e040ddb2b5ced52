import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runJob, type TestOutcome } from "./test_job.ts";

/** Runs a file of tests as `deno task test` does; answers what it found, and what its JUnit file says. */
async function outcomeOf(source: string, withinMs = 120_000): Promise<TestOutcome & { readonly results: string }> {
  const folder = await Deno.makeTempDir({ prefix: "tablewright-job-" });
  try {
    const path = join(folder, "a_test.ts");
    await Deno.writeTextFile(path, source);
    const outcome = await runJob({ name: "some/a_test.ts", args: ["--allow-run", path] }, { folder, withinMs });
    return { ...outcome, results: await Deno.readTextFile(join(folder, "some-a_test.ts.xml")) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PASSING = `Deno.test("it passes", () => {});`;

Deno.test("a file whose tests pass has passed, and its results are counted", async () => {
  const { tests, failed, output } = await outcomeOf(PASSING);
  assertEquals([tests, failed, output.includes("it passes")], [1, [], true]);
});

Deno.test("a test that fails is named, as it is written", async () => {
  const name = `a < "b" & c`;
  const { tests, failed } = await outcomeOf(`${PASSING} Deno.test(${JSON.stringify(name)}, () => { throw 1; });`);
  assertEquals([tests, failed], [2, [name]]);
});

Deno.test("a test that hangs is ended and named", async () => {
  const source = `Deno.test("it hangs", () => new Promise(() => setInterval(() => {}, 1_000)));`;
  const { failed, output, results } = await outcomeOf(`${PASSING} ${source}`, 5_000);
  assertEquals([failed, output.includes("it hangs ..."), results.includes(`errors="1"`)], [["it hangs"], true, true]);
});

for (
  const [what, source] of Object.entries({
    "whose process is killed": `${PASSING} Deno.test("it kills", () => Deno.kill(Deno.pid, "SIGKILL"));`,
    "whose module throws": `${PASSING} throw new Error("here");`,
    "that cannot be read": `${PASSING} import "./nowhere.ts";`,
    "with an error that belongs to no test": `${PASSING} setTimeout(() => { throw new Error("late"); });`,
  })
) {
  Deno.test(`a file ${what} has failed, and its results say so`, async () => {
    const { failed, results } = await outcomeOf(source);
    assertEquals(failed, ["some/a_test.ts failed, although no test of it did"]);
    assertEquals(results.includes(`errors="1"`), true);
  });
}
