import { type Testbed, TESTBED_VARIABLE } from "./testbed.ts";

/** Where JUnit files go. */
export const RESULTS = "test-results";

/** How a run of `deno test` is started. */
interface RunOptions {
  readonly env?: Record<string, string>;
  /** Gets what is written, instead of the terminal: two runs at a time would mix their lines. */
  readonly logPath?: string;
}

/** Runs `deno test`; returns whether all of it passed. */
export async function denoTest(args: readonly string[], { env = {}, logPath }: RunOptions = {}): Promise<boolean> {
  const output = logPath === undefined ? "inherit" : "piped";
  const command = ["test", "--no-prompt", ...args];
  const child = new Deno.Command(Deno.execPath(), { args: command, env, stdout: output, stderr: output }).spawn();
  if (logPath !== undefined) {
    using file = await Deno.open(logPath, { write: true, create: true, truncate: true });
    await Promise.all([child.stdout, child.stderr].map((stream) => copy(stream, file)));
  }
  return (await child.status).success;
}

async function copy(stream: ReadableStream<Uint8Array>, file: Deno.FsFile): Promise<void> {
  for await (const chunk of stream) file.writeSync(chunk);
}

/** Runs `deno test` with all permissions and lets its files share one testbed. */
export async function denoTestWith(
  testbed: Testbed,
  { args, env = {}, ...options }: RunOptions & { readonly args: readonly string[] },
): Promise<boolean> {
  const description = await Deno.makeTempFile({ prefix: "tablewright-testbed-" });
  try {
    await Deno.writeTextFile(description, JSON.stringify(testbed));
    const shared = { [TESTBED_VARIABLE]: description, TABLEWRIGHT_TEST_SUPERUSER_URL: testbed.superuserUrl };
    return await denoTest(["--allow-all", ...args], { ...options, env: { ...shared, ...env } });
  } finally {
    await Deno.remove(description);
  }
}
