import { dirname, join } from "@std/path";

/**
 * Begin first, so that whatever comes last ends beside something, and what computes beside what waits. What a run says of its slowest
 * files shows whether one is missing.
 */
const LONGEST = [
  "tests/database_table/data_is_kept_test.ts",
  "tests/operator/replicas_test.ts",
  "tests/fixpoint/fixpoint_test.ts",
  "tests/database_table/connection_secret_test.ts",
  "tests/admission/review_fuzz_test.ts",
  "tests/manifests/default_overlay_test.ts",
  "tests/fixpoint/crash_test.ts",
  "tests/service/service_path_test.ts",
  "tests/database_table/change_policy_test.ts",
  "tests/manifests/namespaced_overlay_test.ts",
  "tests/injection/injection_test.ts",
  "tests/admission/review_flood_test.ts",
  "tests/parity/parity_test.ts",
];

/**
 * All integration tests, below the root of the clone, in the order in which they should begin: behind the longest ones the largest files.
 *
 * @throws {Error} if one of the longest is not there.
 */
export function integrationTests(root: string): readonly string[] {
  const files = testsUnder(root, "tests");
  const missing = LONGEST.filter((path) => !files.includes(path));
  if (missing.length > 0) throw new Error(`Cannot find ${missing.join(", ")}: tests/harness/test_files.ts lists them`);
  const size = (path: string) => Deno.statSync(join(root, path)).size;
  const others = files.filter((path) => !LONGEST.includes(path)).toSorted((one, other) => size(other) - size(one));
  return [...LONGEST, ...others];
}

/** The test files of a folder and those in it, below the root of the clone. */
export function testsUnder(root: string, folder: string): readonly string[] {
  return foldersUnder(root, folder).flatMap((each) => testsIn(root, each)).toSorted();
}

function foldersUnder(root: string, folder: string): readonly string[] {
  const inside = [...Deno.readDirSync(join(root, folder))].filter(({ isDirectory }) => isDirectory);
  return [folder, ...inside.flatMap(({ name }) => foldersUnder(root, `${folder}/${name}`))];
}

function testsIn(root: string, folder: string): readonly string[] {
  return [...Deno.readDirSync(join(root, folder))].map(({ name }) => `${folder}/${name}`)
    .filter((path) => path.endsWith("_test.ts"));
}

/** A file and all of ours that it imports, itself or through others. */
export function reachOf(root: string, path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const source = Deno.readTextFileSync(join(root, path));
  for (const [, specifier = ""] of source.matchAll(/ from "(\.[^"]+\.ts)";/g)) {
    reachOf(root, join(dirname(path), specifier), seen);
  }
  return seen;
}
