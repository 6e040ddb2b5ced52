import { parseCommandLine } from "../../handlers/config.ts";
import { inClusterConfig } from "../../kube/client/in_cluster.ts";
import { run } from "../../main.ts";

// The operator as in a Pod: token and authority from a folder, so that no kubeconfig library is loaded.
const env = Deno.env.toObject();
const [folder = "", ...flags] = Deno.args;
const command = parseCommandLine(flags, {});
if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
const cluster = await inClusterConfig({
  host: env["KUBERNETES_SERVICE_HOST"],
  port: env["KUBERNETES_SERVICE_PORT"],
  readTextFile: (path) => Deno.readTextFile(path),
  now: Date.now,
  folder,
});
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
await run(command.config, { cluster, databaseUrl: env["DATABASE_URL"] ?? "", embeddedCluster: false }, stop.signal);
Deno.exit(0);
