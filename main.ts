// The command line is this file's: what it prints goes to a person.
// deno-lint-ignore-file no-console
import { chooseCluster } from "./handlers/operator/choose_cluster.ts";
import { importCommand } from "./handlers/commands/import/command.ts";
import { parseCommand, type ParsedCommand } from "./handlers/commands/parse_command.ts";
import { planCommand } from "./handlers/commands/plan/command.ts";
import { systemTerminal } from "./handlers/commands/system_terminal.ts";
import { uninstallCommand } from "./handlers/commands/uninstall/command.ts";
import type { Config, Environment } from "./handlers/config.ts";
import { StartError } from "./handlers/errors.ts";
import { askHealth } from "./handlers/commands/health_command.ts";
import { run } from "./handlers/operator/run.ts";
import { countStopRequests } from "./handlers/operator/stop_requests.ts";
import { listenForStrayErrors } from "./handlers/operator/stray_errors.ts";
import { KubeError } from "./kube/client/client.ts";
import { InClusterError } from "./kube/client/in_cluster.ts";
import { KubeconfigError } from "./kube/client/kubeconfig.ts";
import { createLogger, type Logger } from "./kube/telemetry/logger.ts";
import { systemTiming } from "./kube/timing.ts";

/** As sysexits.h has it: an internal error. */
const BUG = 70;

export type { Connections } from "./handlers/operator/connections.ts";
export { run, StartError };

/** Does what the command line asks for, and answers the exit code. */
async function main(args: readonly string[], env: Environment): Promise<number> {
  const command = parseCommand(args, env);
  switch (command.kind) {
    case "help":
    case "version":
      console.log(command.text);
      return 0;
    case "usage":
      console.error(command.message);
      return 64;
    case "health":
      return await askHealth(command.config);
    default:
      return await untilSignal((signal) => execute(command, env, signal), bugLogger(command));
  }
}

type Working = Exclude<ParsedCommand, { readonly kind: "help" | "version" | "usage" | "health" }>;

async function execute(command: Working, env: Environment, signal: AbortSignal): Promise<number> {
  const terminal = systemTerminal(env);
  switch (command.kind) {
    case "run":
      await runOnCluster(command.config, env, signal);
      return 0;
    case "plan":
      return await planCommand(command.options, terminal, signal);
    case "import":
      return await importCommand(command.options, terminal, signal);
    case "uninstall": {
      const { cluster } = await chooseCluster(command.config, machineOf(env));
      return await uninstallCommand(command.options, { terminal, cluster }, signal);
    }
  }
}

/** In the format of the log, and without secrets. */
function bugLogger(command: Working): Logger {
  return createLogger({ format: command.kind === "run" ? command.config.logFormat : "plain", level: "error" });
}

/** An error that nobody expected or waited for ends the process in the same order as a signal does: the Lease is free, and work drained. */
async function untilSignal(work: (signal: AbortSignal) => Promise<number>, logger: Logger): Promise<number> {
  const stop = new AbortController();
  const requests = { onStop: () => stop.abort(), onForce: () => Deno.exit(1) };
  const request = countStopRequests(requests, () => performance.now());
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, request);
  let bugs = 0;
  const onBug = (error: unknown) => {
    bugs++;
    logger.error("a bug ends the process", { error });
    stop.abort();
  };
  using _strayErrors = listenForStrayErrors(onBug);
  try {
    const code = await work(stop.signal);
    return bugs > 0 ? BUG : code;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return bugs > 0 ? BUG : 0;
    const isKnown = [StartError, KubeconfigError, InClusterError, KubeError].some((known) => error instanceof known);
    if (!isKnown || !(error instanceof Error)) {
      onBug(error);
      return BUG;
    }
    console.error(error.message);
    return 1;
  }
}

async function runOnCluster(given: Config, env: Environment, signal: AbortSignal): Promise<void> {
  const { cluster, config } = await chooseCluster(given, machineOf(env));
  const { databaseUrl, databaseDirectUrl, inPod } = config;
  // An administrator may give every table its own; a person at a terminal has most likely forgotten it.
  if (databaseUrl === undefined && !inPod) throw new StartError("Cannot choose a database: DATABASE_URL must be set");
  await run(config, { cluster, databaseUrl, databaseDirectUrl, embeddedCluster: false }, signal);
}

function machineOf(env: Environment) {
  return { env, readTextFile: (path: string) => Deno.readTextFile(path), now: systemTiming.uptime };
}

if (import.meta.main) {
  const env = { ...Deno.env.toObject(), HOSTNAME: Deno.hostname() };
  Deno.exit(await main(Deno.args, env));
}
