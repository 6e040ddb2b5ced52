import type { ClusterConfig } from "../../kube/client/client.ts";
import { inClusterConfig } from "../../kube/client/in_cluster.ts";
import { loadKubeconfig } from "../../kube/client/kubeconfig.ts";
import { type Config, type Environment, podConfig } from "../config.ts";
import { StartError } from "../errors.ts";

export interface Machine {
  readonly env: Environment;
  readonly readTextFile: (path: string) => Promise<string>;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

export interface ChosenCluster {
  readonly cluster: ClusterConfig;
  /** As it holds in that cluster. */
  readonly config: Config;
}

/**
 * Finds the cluster that somebody named, else the one of the Pod. `~/.kube/config` alone names none: a laptop's current context is
 * nobody's choice.
 *
 * @throws {StartError | KubeconfigError | InClusterError} one line, if there is none or it cannot be read.
 */
export async function chooseCluster(config: Config, machine: Machine): Promise<ChosenCluster> {
  const { kubeconfig, context } = config;
  const { env, readTextFile, now } = machine;
  if (kubeconfig !== undefined || context !== undefined) {
    const path = kubeconfig ?? `${env["HOME"] ?? ""}/.kube/config`;
    return { config, cluster: await loadKubeconfig({ path, ...(context === undefined ? {} : { context }) }) };
  }
  if (!config.inPod) {
    throw new StartError(
      "Cannot choose a cluster: set KUBECONFIG, give --context, or run in a Pod (deno task run brings its own)",
    );
  }
  const [host, port] = [env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]];
  return { config: podConfig(config), cluster: await inClusterConfig({ host, port, readTextFile, now }) };
}
