import { runJob, type TestJob, type TestOutcome } from "./test_job.ts";
import { withTestbed } from "./test_run.ts";
import { startTestbed } from "./testbed.ts";

/**
 * Runs jobs side by side: every lane has a control plane and a PostgreSQL of its own and takes the next job when it is done
 * with one, so no two jobs that run at a time see each other.
 */
export async function runInLanes(jobs: readonly TestJob[], lanes: number): Promise<readonly TestOutcome[]> {
  const waiting = [...jobs];
  const outcomes: TestOutcome[] = [];
  const runLane = async (env: Record<string, string>) => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const outcome = await runJob(job, { env });
      say(`== ${outcome.name} (${outcome.seconds} s)\n${outcome.output}`);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: lanes }, async () => {
    const testbed = await startTestbed();
    try {
      await withTestbed(testbed, runLane);
    } finally {
      await testbed.stop();
    }
  }));
  return outcomes;
}

/** Says what took longest, and once more what failed, since the log is long; returns whether all passed. */
export function summarize(outcomes: readonly TestOutcome[]): boolean {
  const slowest = outcomes.toSorted((one, other) => other.seconds - one.seconds).slice(0, 10);
  say(`the slowest: ${slowest.map(({ name, seconds }) => `${name} ${seconds} s`).join(", ")}\n`);
  const failures = outcomes.flatMap(({ name, failed }) => failed.map((test) => `FAILED: ${test} (${name})`));
  const tests = outcomes.reduce((sum, each) => sum + each.tests, 0);
  say([...failures, `${tests - failures.length} tests passed, ${failures.length} failed\n`].join("\n"));
  return failures.length === 0;
}

/** All of it at once, also where a pipe takes only a part. */
function say(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
