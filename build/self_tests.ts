import { fromFileUrl } from "@std/path";
import { type ModuleGraph, reachedPackages } from "./shipped_packages.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/**
 * The folders with which reached packages test themselves. They are no part of a binary, and one of them must not be read: Deno 2.9
 * parses every file that it embeds, and 100,000 numbers of bintrees (through prom-client) overflow the stack of its parser.
 *
 * @throws if the module graph cannot be read.
 */
export async function selfTestFolders(): Promise<readonly string[]> {
  const args = ["info", "--json", "main.ts"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
  return reachedPackages(graph).map(({ folder }) => `${folder}/test`).filter(isFolder);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
