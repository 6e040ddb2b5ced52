import { assertEquals, assertRejects } from "@std/assert";
import { chooseCluster } from "./choose_cluster.ts";
import { type Config, parseCommandLine } from "../config.ts";
import { StartError } from "../errors.ts";

const POD = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

function configOf(args: readonly string[], env: Record<string, string>): Config {
  const command = parseCommandLine(args, env);
  if (command.kind !== "run") throw new Error(`bad flags: ${JSON.stringify(command)}`);
  return command.config;
}

function machineWith(env: Record<string, string>) {
  return { env, readTextFile: (path: string) => Promise.resolve(`text of ${path}`), now: () => 0 };
}

Deno.test("chooseCluster() never writes definitions from a Pod: an administrator does", async () => {
  assertEquals(configOf([], POD).installCrds, true);
  const { cluster, config } = await chooseCluster(configOf([], POD), machineWith(POD));
  assertEquals(cluster.server, "https://10.0.0.1:443");
  assertEquals(config.installCrds, false);
});

Deno.test("chooseCluster() never takes the cluster of ~/.kube/config unasked", async () => {
  const env = { HOME: "/home/ann" };
  await assertRejects(() => chooseCluster(configOf([], env), machineWith(env)), StartError, "Cannot choose a cluster");
});
