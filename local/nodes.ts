import { delay } from "@std/async/delay";
import { join } from "@std/path";
import { type ClusterConfig, isKubeError, KubeClient } from "../kube/client/client.ts";
import type { ResourceType } from "../kube/object.ts";
import type { Binaries } from "./binaries.ts";
import { type Child, describeEnd, startChild, stopLeftovers } from "./children.ts";
import { showPods } from "./node_pods.ts";

/** A scheduler and one simulated node: Pods become Running and Ready, and no container runs. */
export interface Nodes {
  /** Ends both. May be called again. */
  stop(): Promise<void>;
}

export interface NodesOptions {
  /** Keeps logs; made if absent. */
  readonly directory: string;
  readonly binaries: Pick<Binaries, "kubeScheduler" | "kwok">;
  readonly kubeconfigPath: string;
  readonly cluster: ClusterConfig;
  /** Called with one line when a program ends that nobody stopped; it is then started again. */
  readonly report: (line: string) => void;
}

const NODE: ResourceType = { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false };
const NODE_NAME = "simulated";
const LEASE: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};
const RESTART_DELAY_MS = 1_000;

/**
 * Starts kube-scheduler and KWOK, and makes the node. It waits for neither: a Pod that comes sooner is scheduled once they are up.
 *
 * @throws {KubeError} if the API server refuses the node.
 */
export async function startNodes(options: NodesOptions, signal: AbortSignal): Promise<Nodes> {
  await Deno.mkdir(options.directory, { recursive: true, mode: 0o700 });
  await stopLeftovers(options.directory);
  await freeNode(options.cluster, signal);
  const kept = [keepRunning(options, schedulerOf(options)), keepRunning(options, kwokOf(options))];
  const stopped = new AbortController();
  let showing = Promise.resolve();
  const nodes: Nodes = {
    async stop() {
      stopped.abort();
      await Promise.all([showing, ...kept.map((each) => each.stop())]);
    },
  };
  try {
    await makeNode(options.cluster, signal);
    showing = showLeftPods(options.cluster, stopped.signal);
    return nodes;
  } catch (error) {
    await nodes.stop();
    throw error;
  }
}

interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

function schedulerOf({ binaries, kubeconfigPath }: NodesOptions): Program {
  // It serves nothing that we need, and its usual port may be taken.
  const args = ["--kubeconfig", kubeconfigPath, "--leader-elect=false", "--secure-port=0"];
  return { name: "kube-scheduler", command: binaries.kubeScheduler, args };
}

function kwokOf({ binaries, kubeconfigPath }: NodesOptions): Program {
  return {
    name: "kwok",
    command: binaries.kwok,
    args: [
      ...["--kubeconfig", kubeconfigPath, "--manage-all-nodes=true", "--server-address="],
      // Without a Lease the node is heard of so rarely that kube-controller-manager takes it for dead every minute, and its Pods for not
      // ready, until it is heard of again.
      "--node-lease-duration-seconds=40",
    ],
  };
}

function keepRunning(options: NodesOptions, program: Program): { stop(): Promise<void> } {
  const { directory, report } = options;
  let isStopping = false;
  const start = (): Child => {
    const started = startChild({
      ...program,
      recordDirectory: directory,
      logPath: join(directory, `${program.name}.log`),
      workingDirectory: directory,
      stopSignal: "SIGTERM",
      stopDeadlineMs: 1_000,
    });
    started.ended.then(async (status) => {
      if (isStopping) return;
      report(`${describeEnd(started, status)}; starting it again`);
      await delay(RESTART_DELAY_MS);
      if (!isStopping) child = start();
    });
    return started;
  };
  let child = start();
  return {
    async stop() {
      isStopping = true;
      await child.stop();
    },
  };
}

/** The KWOK before this one may hold the Lease of the node for 40 s more; until then no Pod would run. */
async function freeNode(cluster: ClusterConfig, signal: AbortSignal): Promise<void> {
  const client = new KubeClient(cluster);
  try {
    await client.delete(LEASE, { namespace: "kube-node-lease", name: NODE_NAME }, { signal });
  } catch (error) {
    if (!isKubeError(error, 404)) throw error;
  } finally {
    client.close();
  }
}

/** Beside everything else. Never rejects: an API server that ends meanwhile has no Pods to show. */
async function showLeftPods(cluster: ClusterConfig, signal: AbortSignal): Promise<void> {
  const client = new KubeClient(cluster);
  await showPods(client, NODE_NAME, signal).catch(() => {});
  client.close();
}

/** More than anybody asks for: what does not run needs nothing. */
async function makeNode(cluster: ClusterConfig, signal: AbortSignal): Promise<void> {
  const client = new KubeClient(cluster);
  const resources = { cpu: "64", memory: "256Gi", pods: "1000", "ephemeral-storage": "1Ti" };
  const metadata = {
    name: NODE_NAME,
    labels: { "kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": "linux", type: "kwok" },
    annotations: { "kwok.x-k8s.io/node": "fake" },
  };
  try {
    await client.apply(NODE, { apiVersion: "v1", kind: "Node", metadata, spec: {} }, { signal });
    const status = { allocatable: resources, capacity: resources };
    const patch = { kind: "merge", value: { status } } as const;
    await client.patch(NODE, { name: NODE_NAME, subresource: "status" }, { patch, signal });
  } finally {
    client.close();
  }
}
