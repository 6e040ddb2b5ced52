import { type Testbed, TESTBED_VARIABLE } from "./testbed.ts";

/** Where JUnit files go. */
export const RESULTS = "test-results";

/** Runs `deno test`; returns whether all of it passed. */
export async function denoTest(args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["test", "--no-prompt", ...args], env }).spawn()
    .status;
  return success;
}

/** Runs `deno test` with all permissions and lets its files share one testbed. */
export async function denoTestWith(
  testbed: Testbed,
  { args, env = {} }: { readonly args: readonly string[]; readonly env?: Record<string, string> },
): Promise<boolean> {
  const description = await Deno.makeTempFile({ prefix: "tablewright-testbed-" });
  try {
    await Deno.writeTextFile(description, JSON.stringify(testbed));
    return await denoTest(["--allow-all", ...args], {
      [TESTBED_VARIABLE]: description,
      TABLEWRIGHT_TEST_SUPERUSER_URL: testbed.superuserUrl,
      ...env,
    });
  } finally {
    await Deno.remove(description);
  }
}
