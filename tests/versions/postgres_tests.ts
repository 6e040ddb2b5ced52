import { reachOf, testsUnder } from "../harness/test_files.ts";

/** Whoever imports this talks to PostgreSQL without a cluster. */
const HARNESS = "tests/harness/postgres_database.ts";
/** With a cluster: plans in steps, and verdicts from the live catalog. */
const WITH_CLUSTER = ["tests/database_table/live_verdict_test.ts", "tests/database_table/online_steps_test.ts"];

/** The test files whose outcome depends on the version of PostgreSQL, below the root of the clone. */
export function testsOfPostgres(root: string): readonly string[] {
  const tests = testsUnder(root, "tests").filter((path) => reachOf(root, path).has(HARNESS));
  return [...tests, ...WITH_CLUSTER].toSorted();
}
