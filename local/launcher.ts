import { isRunning, type ProcessIdentity, readArguments, readProcess } from "./processes.ts";

/** A process above us in the tree, with its arguments. */
export interface Ancestor extends ProcessIdentity {
  readonly args: readonly string[];
}

const POLL_MS = 1_000;

/**
 * Those ancestors that exist only to run us: `deno task`, npm's shim of Deno, `npx`. The shell of a user is none, since it may end
 * while we go on (`nohup … &`).
 *
 * @param ancestors from our parent upwards.
 */
export function launchersAmong(ancestors: readonly Ancestor[]): readonly Ancestor[] {
  const launchers: Ancestor[] = [];
  for (const [index, ancestor] of ancestors.entries()) {
    const parent = ancestors[index + 1];
    // npm runs a command through a shell of its own.
    const isShellOfLauncher = isShell(ancestor) && parent !== undefined && isLauncher(parent);
    if (!isLauncher(ancestor) && !isShellOfLauncher) break;
    launchers.push(ancestor);
  }
  return launchers;
}

/**
 * Calls `onGone` once when one of our launchers has ended: npm's shim of Deno passes no signals on, so this is how we learn that it
 * was told to stop. Ends with `signal`.
 */
export function watchLaunchers(onGone: (launcher: Ancestor) => void, signal: AbortSignal): void {
  const launchers = launchersAmong(readAncestors());
  if (launchers.length === 0) return;
  const timer = setInterval(() => {
    const gone = launchers.find((launcher) => !isRunning(launcher));
    if (gone === undefined) return;
    clearInterval(timer);
    onGone(gone);
  }, POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function readAncestors(): readonly Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (let pid = Deno.ppid; pid > 1;) {
    const info = readProcess(pid);
    if (info === undefined) break;
    ancestors.push({ pid, startTime: info.startTime, args: readArguments(pid) });
    pid = info.parentPid;
  }
  return ancestors;
}

function isLauncher({ args }: Ancestor): boolean {
  // npm writes its command line into one argument.
  const words = args.flatMap((arg) => arg.split(/\s+/)).filter((word) => word !== "");
  const [program = "", ...rest] = words.map(baseName);
  if (program === "deno") return rest.includes("task");
  if (program === "npm" || program === "npx" || program === "pnpm") return true;
  return isNode(program) && rest.slice(0, 2).some((word) => NODE_SCRIPTS.has(word));
}

const NODE_SCRIPTS = new Set(["deno", "bin.cjs", "npx", "npx-cli.js", "npm", "npm-cli.js"]);

function isNode(program: string): boolean {
  return program === "node" || program === "nodejs";
}

function isShell({ args }: Ancestor): boolean {
  return ["sh", "dash", "bash"].includes(baseName(args[0] ?? "")) && args[1] === "-c";
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
