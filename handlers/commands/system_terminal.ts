// What a command prints goes to a person.
// deno-lint-ignore-file no-console
import type { Environment } from "../config.ts";
import type { Terminal } from "./terminal.ts";

/** The terminal of this process. */
export function systemTerminal(env: Environment): Terminal {
  return {
    env,
    print: (text) => console.log(text),
    warn: (text) => console.error(text),
    readTextFile: (path) => Deno.readTextFile(path),
    listFolder,
    readStdin: () => new Response(Deno.stdin.readable).text(),
  };
}

async function listFolder(path: string): Promise<readonly string[] | undefined> {
  if (!(await Deno.stat(path)).isDirectory) return undefined;
  const names = (await Array.fromAsync(Deno.readDir(path))).filter(({ isFile }) => isFile).map(({ name }) => name);
  return names.toSorted();
}
