/**
 * `deno task test:postgres`: what depends on the version of PostgreSQL, against a real 15, 16, 17 and 18, one after the other.
 * What each of them dumps is restored on 18.
 * Results are also written as JUnit files to test-results/.
 *
 * Numbers choose versions, the rest goes to the tests: `deno task test:postgres 15 --filter columns`.
 */
import { fromFileUrl } from "@std/path";
import { startThrowawayPostgres } from "../harness/postgres_version.ts";
import { denoTestWith, RESULTS } from "../harness/test_run.ts";
import { startTestbed } from "../harness/testbed.ts";
import { binariesOf, SUPPORTED_VERSIONS } from "./binaries.ts";
import { EVERYTHING_VARIABLE, UPGRADE_VARIABLE } from "./everything.ts";
import { testsOfPostgres } from "./postgres_tests.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

async function runVersion(version: number, args: readonly string[]): Promise<boolean> {
  const testbed = await startTestbed({ binaries: await binariesOf(version) });
  // Where the dumps of every version are restored.
  const newest = await startThrowawayPostgres();
  try {
    const env = { [EVERYTHING_VARIABLE]: "1", [UPGRADE_VARIABLE]: newest.superuserUrl };
    return await denoTestWith(testbed, { args: [`--junit-path=${RESULTS}/postgres-${version}.xml`, ...args], env });
  } finally {
    await Promise.all([testbed.stop(), newest.stop()]);
  }
}

async function runAll(versions: readonly number[], args: readonly string[]): Promise<readonly string[]> {
  const files = args.some((arg) => arg.endsWith(".ts")) ? [] : testsOfPostgres(ROOT);
  const lines: string[] = [];
  for (const version of versions) {
    const start = performance.now();
    const passed = await runVersion(version, [...args, ...files]);
    const seconds = Math.round((performance.now() - start) / 1_000);
    lines.push(`PostgreSQL ${version}: ${passed ? "passed" : "FAILED"} in ${seconds} s`);
  }
  return lines;
}

const chosen = Deno.args.filter((arg) => /^\d+$/.test(arg)).map(Number);
const rest = Deno.args.filter((arg) => !/^\d+$/.test(arg));
await Deno.mkdir(RESULTS, { recursive: true });
const lines = await runAll(chosen.length > 0 ? chosen : SUPPORTED_VERSIONS, rest);
await Deno.stdout.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
Deno.exit(lines.some((line) => line.includes("FAILED")) ? 1 : 0);
