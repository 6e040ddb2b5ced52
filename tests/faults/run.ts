/**
 * `deno task test:faults`: every promise of docs/promises.md, proven by breaking something, against one real control plane and one
 * real PostgreSQL. Four files of plans run at a time: they wait for more than half of theirs. Results are also written as JUnit
 * files to test-results/.
 *
 * Arguments go to the tests: `deno task test:faults --filter "crash points: create"`, `deno task test:faults tests/faults/plans/table_crash.ts`.
 */
import { fromFileUrl } from "@std/path";
import { OperatorProcess } from "../harness/operator_process.ts";
import { denoTestWith, RESULTS } from "../harness/test_run.ts";
import { startTestbed, type Testbed } from "../harness/testbed.ts";
import { openStageDatabase } from "./stage/stage_database.ts";

/** Only what hangs takes longer, and is named then. */
const WITHIN_MS = 60 * 60_000;
const PLANS = fromFileUrl(new URL("plans", import.meta.url));
const LONGEST = ["table_step_crash.ts", "table_crash.ts", "admission_crash.ts", "database_crash.ts", "api_server.ts"];

/** Plans run without: one operator installs the kinds for all of them. */
async function installKinds(testbed: Testbed): Promise<void> {
  const database = await openStageDatabase(testbed.superuserUrl, "install");
  const { kubeconfigPath } = testbed;
  const flags = ["-n", "default", "--instance", "install", "--webhooks", "off"];
  const operator = new OperatorProcess({ name: "install", kubeconfigPath, databaseUrl: database.url, flags });
  await operator.ready();
  await operator.close();
  await database.close();
}

async function runPlans(args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed();
  try {
    await installKinds(testbed);
    const files = args.some((arg) => arg.endsWith(".ts")) ? [] : planFiles();
    // Types are checked by `deno check`.
    const options = ["--parallel", "--no-check", `--junit-path=${RESULTS}/faults.xml`];
    return await denoTestWith(testbed, {
      args: [...options, ...args, ...files],
      env: { DENO_JOBS: "4" },
      withinMs: WITHIN_MS,
    });
  } finally {
    await testbed.stop();
  }
}

/** The longest first: whatever comes last should end beside something. */
function planFiles(): readonly string[] {
  const others = [...Deno.readDirSync(PLANS)].map(({ name }) => name).filter((name) => !LONGEST.includes(name));
  return [...LONGEST, ...others.toSorted()].map((name) => `${PLANS}/${name}`);
}

await Deno.mkdir(RESULTS, { recursive: true });
Deno.exit(await runPlans(Deno.args) ? 0 : 1);
