import { parseCommandLine } from "../../handlers/config.ts";
import { chooseCluster } from "../../handlers/operator/choose_cluster.ts";
import { run } from "../../main.ts";

// The operator as in a Pod; what a Pod finds in this folder is somewhere else.
const MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

const env = Deno.env.toObject();
const [folder = "", ...flags] = Deno.args;
const command = parseCommandLine(flags, env);
if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
const { cluster, config } = await chooseCluster(command.config, {
  env,
  readTextFile: (path) => Deno.readTextFile(path.replace(MOUNT, folder)),
  now: () => performance.now(),
});
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
await run(config, { cluster, databaseUrl: config.databaseUrl, embeddedCluster: false }, stop.signal);
Deno.exit(0);
