/**
 * `deno task test`: the unit tests without any permission, then everything else against one real control plane and one
 * real PostgreSQL that are started once. Results are also written as JUnit files to test-results/.
 *
 * Arguments go to the integration run: `deno task test --filter Retain`, `deno task test tests/bypass_test.ts`.
 */
import { startTestbed, TESTBED_VARIABLE } from "./harness/testbed.ts";

const RESULTS = "test-results";
const UNIT_FOLDERS = ["crds", "postgres", "kube", "handlers", "local"];

async function denoTest(args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["test", "--no-prompt", ...args], env }).spawn()
    .status;
  return success;
}

async function runIntegration(args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed();
  const description = await Deno.makeTempFile({ prefix: "tablewright-testbed-" });
  try {
    await Deno.writeTextFile(description, JSON.stringify(testbed));
    const targets = args.some((arg) => arg.endsWith(".ts")) ? [] : ["tests"];
    const flags = ["--allow-all", `--junit-path=${RESULTS}/integration.xml`];
    return await denoTest([...flags, ...args, ...targets], {
      [TESTBED_VARIABLE]: description,
      TABLEWRIGHT_TEST_SUPERUSER_URL: testbed.superuserUrl,
    });
  } finally {
    await Deno.remove(description);
    await testbed.stop();
  }
}

await Deno.mkdir(RESULTS, { recursive: true });
const unit = Deno.args.length > 0 || await denoTest([`--junit-path=${RESULTS}/unit.xml`, ...UNIT_FOLDERS]);
const integration = await runIntegration(Deno.args);
Deno.exit(unit && integration ? 0 : 1);
