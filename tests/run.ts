/**
 * `deno task test`: the unit tests without any permission, and everything else against real control planes and PostgreSQL
 * servers. Results are also written as JUnit files to test-results/.
 *
 * Arguments go to the integration run: `deno task test --filter Retain`, `deno task test tests/database_table/bypass_test.ts`.
 */
import { fromFileUrl } from "@std/path";
import { integrationTests } from "./harness/test_files.ts";
import type { TestJob } from "./harness/test_job.ts";
import { runInLanes, summarize } from "./harness/test_lanes.ts";
import { denoTestWith, RESULTS } from "./harness/test_run.ts";
import { startTestbed } from "./harness/testbed.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
/** Tests wait for half of their time: two lanes would leave a processor idle. */
const LANES = 3;
const UNIT_FOLDERS = ["crds", "postgres", "kube", "handlers", "local", "build"];

/** What somebody works on: on the terminal, with its types checked. */
async function runFiles(args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed();
  try {
    return await denoTestWith(testbed, { args: [`--junit-path=${RESULTS}/integration.xml`, ...args] });
  } finally {
    await testbed.stop();
  }
}

async function runAll(args: readonly string[]): Promise<boolean> {
  const files = integrationTests(ROOT).map((file): TestJob => ({ name: file, args: ["--allow-all", ...args, file] }));
  const unit = { name: "unit", args: UNIT_FOLDERS };
  const jobs = args.length > 0 ? files : [unit, ...files];
  return summarize(await runInLanes(jobs, LANES));
}

await Deno.mkdir(RESULTS, { recursive: true });
const args = Deno.args;
const passed = args.some((arg) => arg.endsWith(".ts")) ? await runFiles(args) : await runAll(args);
Deno.exit(passed ? 0 : 1);
