import { dirname, join } from "@std/path";

/** Whoever imports this talks to PostgreSQL without a cluster. */
const HARNESS = "tests/harness/postgres_database.ts";
/** With a cluster: plans in steps, and verdicts from the live catalog. */
const WITH_CLUSTER = ["tests/live_verdict_test.ts", "tests/online_steps_test.ts"];

/** The test files whose outcome depends on the version of PostgreSQL, below the root of the clone. */
export function testsOfPostgres(root: string): readonly string[] {
  const tests = ["tests", "tests/fixpoint"].flatMap((folder) =>
    [...Deno.readDirSync(join(root, folder))].map(({ name }) => `${folder}/${name}`).filter((path) =>
      path.endsWith("_test.ts")
    )
  );
  return [...tests.filter((path) => reachOf(root, path).has(HARNESS)), ...WITH_CLUSTER].toSorted();
}

/** A file and all of ours that it imports, itself or through others. */
function reachOf(root: string, path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const source = Deno.readTextFileSync(join(root, path));
  for (const [, specifier = ""] of source.matchAll(/ from "(\.[^"]+\.ts)";/g)) {
    reachOf(root, join(dirname(path), specifier), seen);
  }
  return seen;
}
