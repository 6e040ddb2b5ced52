/**
 * `deno task test`: the unit tests without any permission, then everything else against one real control plane and one
 * real PostgreSQL that are started once: beside the files that talk to the cluster, and wait much, those that do not and
 * compute much. Results are also written as JUnit files to test-results/.
 *
 * Arguments go to the integration run: `deno task test --filter Retain`, `deno task test tests/database_table/bypass_test.ts`.
 */
import { fromFileUrl } from "@std/path";
import { testLanes } from "./harness/test_files.ts";
import { denoTest, denoTestWith, RESULTS } from "./harness/test_run.ts";
import { startTestbed, type Testbed } from "./harness/testbed.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const UNIT_FOLDERS = ["crds", "postgres", "kube", "handlers", "local", "build"];

async function runIntegration(args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed();
  try {
    const hasFiles = args.some((arg) => arg.endsWith(".ts"));
    return hasFiles ? await runLane(testbed, { name: "integration", args }) : await runLanes(testbed, args);
  } finally {
    await testbed.stop();
  }
}

/** What the second lane says comes when both have ended. */
async function runLanes(testbed: Testbed, args: readonly string[]): Promise<boolean> {
  const { withCluster, withoutCluster } = testLanes(ROOT);
  const logPath = `${RESULTS}/without_cluster.log`;
  const passed = await Promise.all([
    runLane(testbed, { name: "integration", args: [...args, ...withCluster] }),
    runLane(testbed, { name: "without_cluster", args: [...args, ...withoutCluster], logPath }),
  ]);
  await Deno.stdout.write(await Deno.readFile(logPath));
  return passed.every((each) => each);
}

interface Lane {
  /** Of the file of results. */
  readonly name: string;
  readonly args: readonly string[];
  readonly logPath?: string;
}

async function runLane(testbed: Testbed, { name, args, ...options }: Lane): Promise<boolean> {
  return await denoTestWith(testbed, { args: [`--junit-path=${RESULTS}/${name}.xml`, ...args], ...options });
}

await Deno.mkdir(RESULTS, { recursive: true });
const unit = Deno.args.length > 0 || await denoTest([`--junit-path=${RESULTS}/unit.xml`, ...UNIT_FOLDERS]);
const integration = await runIntegration(Deno.args);
Deno.exit(unit && integration ? 0 : 1);
