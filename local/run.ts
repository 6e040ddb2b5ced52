import { askHealth } from "../handlers/commands/health_command.ts";
import { fromFileUrl } from "@std/path";
import { parseCommandLine } from "../handlers/config.ts";
import { killAllChildren } from "./children.ts";
import { LocalError, reasonOf } from "./local_error.ts";
import { runLocally } from "./local_run.ts";
import { removeLocalFiles } from "./local_files.ts";
import { watchLaunchers } from "./launcher.ts";
import { printErrorLine, printLine } from "./output.ts";
import { listenForStop } from "./stop_signals.ts";

/** The entry of `deno task run`: what a laptop needs is started here, the operator itself is the one of `main.ts`. */

const EXIT_FAILURE = 1;
const EXIT_USAGE = 64;
const EXIT_FORCED = 130;

const CLONE = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Errors whose message was written for whoever started us. */
const USER_ERRORS: ReadonlySet<string> = new Set([
  "LocalError",
  "StartError",
  "KubeconfigError",
  "InClusterError",
  "KubeError",
]);

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const env = { ...Deno.env.toObject(), HOSTNAME: Deno.hostname() };
  const command = parseCommandLine(Deno.args, env);
  switch (command.kind) {
    case "help":
    case "version":
      printLine(command.text);
      return 0;
    case "usage":
      return fail(command.message, EXIT_USAGE);
    case "health":
      return await askHealth(command.config);
    case "run":
      break;
  }
  const stop = new AbortController();
  listenForStop({ onStop: () => stop.abort(), onForce: forceExit });
  watchLaunchers(() => stop.abort(), stop.signal);
  try {
    await runLocally({ config: command.config, clone: CLONE, env }, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted && !(error instanceof LocalError)) return 0;
    const isExpected = error instanceof Error && USER_ERRORS.has(error.name);
    if (!isExpected && command.config.logLevel === "debug") {
      printErrorLine(error instanceof Error ? error.stack ?? error.message : String(error));
    }
    return fail(isExpected ? error.message : `Cannot go on, this is a bug: ${reasonOf(error)}`, EXIT_FAILURE);
  }
}

function fail(message: string, code: number): number {
  printErrorLine(`tablewright: ${message}`);
  return code;
}

/** The user asked twice: data that is written at this moment may need a recovery at the next start. */
function forceExit(): void {
  killAllChildren();
  removeLocalFiles(CLONE);
  Deno.exit(EXIT_FORCED);
}
