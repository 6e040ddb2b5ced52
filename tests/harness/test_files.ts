import { dirname, join } from "@std/path";

/** Whoever imports this talks to a cluster. */
const CLUSTER = "local/control_plane.ts";

/** Test files in two groups that share nothing but a PostgreSQL server, in which each file has databases of its own. */
export interface TestLanes {
  readonly withCluster: readonly string[];
  readonly withoutCluster: readonly string[];
}

/** All integration tests, below the root of the clone. */
export function testLanes(root: string): TestLanes {
  const files = testsUnder(root, "tests");
  const lanes = Object.groupBy(files, (path) => reachOf(root, path).has(CLUSTER) ? "withCluster" : "withoutCluster");
  return { withCluster: [], withoutCluster: [], ...lanes };
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
