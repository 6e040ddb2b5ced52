import { type Testbed, TESTBED_VARIABLE } from "./testbed.ts";

/** Where JUnit files go. */
export const RESULTS = "test-results";

/** How a run of `deno test` is started. */
interface RunOptions {
  readonly env?: Record<string, string>;
  /** Gets what is written, instead of the terminal: two runs at a time would mix their lines. */
  readonly logPath?: string;
  /** A run that takes longer is ended. Default: as long as it wants. */
  readonly withinMs?: number;
}

/** Deno cannot hand a file to a child as its output; the shell can, and becomes the program. */
const REDIRECT = 'log=$1; shift; exec "$@" >"$log" 2>&1';

/** Behind SIGINT: the names of the tests that were running are written by then. */
const LAST_WORDS_MS = 20_000;

/** Runs `deno test`; returns whether all of it passed. */
export async function denoTest(args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  const { env = {}, logPath, withinMs } = options;
  const command = [Deno.execPath(), "test", "--no-prompt", ...args] as const;
  const [program, ...rest] = logPath === undefined ? command : ["sh", "-c", REDIRECT, "sh", logPath, ...command];
  const child = new Deno.Command(program, { args: rest, env, stdin: "null" }).spawn();
  const timers = withinMs === undefined ? [] : [
    setTimeout(() => child.kill("SIGINT"), withinMs),
    setTimeout(() => child.kill("SIGKILL"), withinMs + LAST_WORDS_MS),
  ];
  const { success } = await child.status;
  for (const timer of timers) clearTimeout(timer);
  return success;
}

/** Runs `deno test` with all permissions and lets its files share one testbed. */
export async function denoTestWith(
  testbed: Testbed,
  { args, env = {}, ...options }: RunOptions & { readonly args: readonly string[] },
): Promise<boolean> {
  return await withTestbed(
    testbed,
    (shared) => denoTest(["--allow-all", ...args], { ...options, env: { ...shared, ...env } }),
  );
}

/** Lends the variables by which test files find a testbed. */
export async function withTestbed<T>(testbed: Testbed, use: (env: Record<string, string>) => Promise<T>): Promise<T> {
  const description = await Deno.makeTempFile({ prefix: "tablewright-testbed-" });
  try {
    await Deno.writeTextFile(description, JSON.stringify(testbed));
    return await use({ [TESTBED_VARIABLE]: description, TABLEWRIGHT_TEST_SUPERUSER_URL: testbed.superuserUrl });
  } finally {
    await Deno.remove(description);
  }
}
