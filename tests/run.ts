/**
 * `deno task test`: the unit tests without any permission, then everything else against one real control plane and one
 * real PostgreSQL that are started once. Results are also written as JUnit files to test-results/.
 *
 * Arguments go to the integration run: `deno task test --filter Retain`, `deno task test tests/bypass_test.ts`.
 */
import { denoTest, denoTestWith, RESULTS } from "./harness/test_run.ts";
import { startTestbed } from "./harness/testbed.ts";

const UNIT_FOLDERS = ["crds", "postgres", "kube", "handlers", "local", "build"];

async function runIntegration(args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed();
  try {
    const targets = args.some((arg) => arg.endsWith(".ts")) ? [] : ["tests"];
    return await denoTestWith(testbed, { args: [`--junit-path=${RESULTS}/integration.xml`, ...args, ...targets] });
  } finally {
    await testbed.stop();
  }
}

await Deno.mkdir(RESULTS, { recursive: true });
const unit = Deno.args.length > 0 || await denoTest([`--junit-path=${RESULTS}/unit.xml`, ...UNIT_FOLDERS]);
const integration = await runIntegration(Deno.args);
Deno.exit(unit && integration ? 0 : 1);
