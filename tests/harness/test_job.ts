import { join } from "@std/path";
import { removeIfPresent } from "../../local/files.ts";
import { settleResults, type TestResults } from "./test_results.ts";
import { denoTest, RESULTS } from "./test_run.ts";

/** One `deno test`: it has a process and a file of results of its own. */
export interface TestJob {
  readonly name: string;
  readonly args: readonly string[];
}

/** A job that has come to its end. */
export interface TestOutcome extends TestResults {
  readonly name: string;
  readonly seconds: number;
  /** What it wrote. */
  readonly output: string;
}

interface JobOptions {
  readonly env?: Record<string, string>;
  /** Default: {@linkcode RESULTS}. */
  readonly folder?: string;
  /** Default: far behind the slowest file on the slowest machine. Only what hangs is ended; Deno then names the tests that were running. */
  readonly withinMs?: number;
}

/** Runs a job to its end, however it ends. */
export async function runJob({ name, args }: TestJob, options: JobOptions = {}): Promise<TestOutcome> {
  const { env = {}, folder = RESULTS, withinMs = 20 * 60_000 } = options;
  const path = join(folder, `${name.replaceAll("/", "-")}.xml`);
  // That of an earlier run says nothing of this one.
  removeIfPresent(path);
  const logPath = await Deno.makeTempFile({ prefix: "tablewright-tests-" });
  const start = performance.now();
  try {
    // Types are checked by `deno check`.
    const succeeded = await denoTest(["--no-check", `--junit-path=${path}`, ...args], { env, logPath, withinMs });
    const seconds = Math.round((performance.now() - start) / 1_000);
    return { name, seconds, output: await Deno.readTextFile(logPath), ...settleResults(path, { name, succeeded }) };
  } finally {
    await Deno.remove(logPath);
  }
}
