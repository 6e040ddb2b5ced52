// The command line is this file's: what it prints goes to a person.
// deno-lint-ignore-file no-console
import { chooseCluster } from "./handlers/choose_cluster.ts";
import { type Config, type Environment, parseCommandLine } from "./handlers/config.ts";
import { StartError } from "./handlers/errors.ts";
import { askHealth } from "./handlers/health_command.ts";
import { run } from "./handlers/operator/run.ts";
import { countStopRequests } from "./handlers/stop_requests.ts";
import { KubeError } from "./kube/client.ts";
import { InClusterError } from "./kube/in_cluster.ts";
import { KubeconfigError } from "./kube/kubeconfig.ts";
import { systemTiming } from "./kube/timing.ts";

export type { Connections } from "./handlers/operator/connections.ts";
export { run, StartError };

/** Starts the operator on a cluster and a database that are there; `deno task run` (local/run.ts) can also bring its own. */
async function main(args: readonly string[], env: Environment): Promise<number> {
  const command = parseCommandLine(args, env);
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
    case "run":
      return await runUntilSignal(command.config, env);
  }
}

async function runUntilSignal(config: Config, env: Environment): Promise<number> {
  const stop = new AbortController();
  const requests = { onStop: () => stop.abort(), onForce: () => Deno.exit(1) };
  const request = countStopRequests(requests, () => performance.now());
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, request);
  try {
    await runOnCluster(config, env, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    const isKnown = [StartError, KubeconfigError, InClusterError, KubeError].some((known) => error instanceof known);
    if (!isKnown || !(error instanceof Error)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function runOnCluster(given: Config, env: Environment, signal: AbortSignal): Promise<void> {
  const machine = { env, readTextFile: (path: string) => Deno.readTextFile(path), now: systemTiming.now };
  const { cluster, config } = await chooseCluster(given, machine);
  const { databaseUrl, databaseDirectUrl, inPod } = config;
  // An administrator may give every table its own; a person at a terminal has most likely forgotten it.
  if (databaseUrl === undefined && !inPod) throw new StartError("Cannot choose a database: DATABASE_URL must be set");
  await run(config, { cluster, databaseUrl, databaseDirectUrl, embeddedCluster: false }, signal);
}

if (import.meta.main) {
  const env = { ...Deno.env.toObject(), HOSTNAME: Deno.hostname() };
  Deno.exit(await main(Deno.args, env));
}
