import { reachOf, testsIn } from "../harness/test_files.ts";

/** Whoever imports this talks to PostgreSQL without a cluster. */
const HARNESS = "tests/harness/postgres_database.ts";
/** With a cluster: plans in steps, and verdicts from the live catalog. */
const WITH_CLUSTER = ["tests/live_verdict_test.ts", "tests/online_steps_test.ts"];

/** The test files whose outcome depends on the version of PostgreSQL, below the root of the clone. */
export function testsOfPostgres(root: string): readonly string[] {
  const tests = ["tests", "tests/fixpoint"].flatMap((folder) => testsIn(root, folder));
  return [...tests.filter((path) => reachOf(root, path).has(HARNESS)), ...WITH_CLUSTER].toSorted();
}
