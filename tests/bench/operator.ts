import { join } from "@std/path";
import { installDefinitions } from "../../handlers/operator/install.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import type { Child } from "../../local/children.ts";
import { imageFlags } from "../harness/dockerfile.ts";
import { findFreePort } from "../../local/ports.ts";
import { startProgram } from "./programs.ts";
import { clusterRoleBindings, serviceAccounts, validatingConfigurations } from "./resources.ts";
import type { Stage } from "./stage.ts";
import { until } from "./wait.ts";

/** The operator as a process of its own. */
export interface OperatorProcess {
  readonly child: Child;
  readonly webhookPort: number;
  /** PEM: signs the admission server's certificate. */
  readonly certificateAuthority: string;
  stop(): Promise<void>;
}

/** Where its credentials come from: the kubeconfig library costs memory and time that a Pod does not pay. */
export type Credentials = "kubeconfig" | "pod";

const INSTANCE = "bench";
/** As it is shipped. */
const COMMAND = ["run", ...imageFlags().filter((flag) => flag.startsWith("--v8-flags="))];

/** Starts an operator and waits until its webhooks fail closed, which is the last step of its start. */
export async function startOperator(stage: Stage, credentials: Credentials = "kubeconfig"): Promise<OperatorProcess> {
  const { child, webhookPort } = await spawnOperator(stage, credentials);
  let certificateAuthority: string | undefined;
  try {
    await until("the operator has registered its webhooks", async () => {
      certificateAuthority = await registeredAuthority(stage);
      return certificateAuthority !== undefined;
    });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { child, webhookPort, certificateAuthority: certificateAuthority ?? "", stop: () => child.stop() };
}

/** Starts an operator and waits for nothing. */
export async function spawnOperator(
  stage: Stage,
  credentials: Credentials,
): Promise<{ readonly child: Child; readonly webhookPort: number }> {
  const webhookPort = findFreePort();
  const flags = [
    ...["--webhook-url", `https://127.0.0.1:${webhookPort}`, "--webhook-port", String(webhookPort)],
    ...["--http-port", String(findFreePort()), "--namespace", stage.namespace, "--instance", INSTANCE],
  ];
  const { directory, databaseUrl } = stage;
  switch (credentials) {
    case "kubeconfig": {
      const env = { KUBECONFIG: stage.kubeconfigPath, DATABASE_URL: databaseUrl };
      return {
        child: startProgram(directory, { name: "operator", args: ["main.ts", ...flags], env, command: COMMAND }),
        webhookPort,
      };
    }
    case "pod": {
      const folder = await podFolder(stage);
      const { hostname, port } = new URL(stage.cluster.server);
      const env = {
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        POD_NAME: `${INSTANCE}-0`,
        DATABASE_URL: databaseUrl,
      };
      const args = ["tests/bench/in_pod.ts", folder, ...flags];
      return { child: startProgram(directory, { name: "operator", args, env, command: COMMAND }), webhookPort };
    }
  }
}

async function registeredAuthority(stage: Stage): Promise<string | undefined> {
  const page = await stage.client.list<Configuration>(validatingConfigurations);
  const ours = page.items.find((each) => each.metadata.name === INSTANCE)?.webhooks;
  const isFinal = ours?.some((each) => each.failurePolicy === "Fail") === true;
  return isFinal ? atob(ours[0]?.clientConfig.caBundle ?? "") : undefined;
}

interface Configuration {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly {
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

const pods = new WeakMap<Stage, Promise<string>>();

/** What a Pod finds under /var/run/secrets, in a folder of ours; and in the cluster, what an administrator installs. */
function podFolder(stage: Stage): Promise<string> {
  const folder = pods.get(stage) ?? makePodFolder(stage);
  pods.set(stage, folder);
  return folder;
}

async function makePodFolder({ client, cluster, directory, namespace }: Stage): Promise<string> {
  const name = "operator";
  await client.create(serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name } });
  await client.create(clusterRoleBindings, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { object } = await client.request<{ readonly status: { readonly token: string } }>("POST", path, { body });
  const folder = join(directory, "service-account");
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "token"), object.status.token);
  await Deno.writeTextFile(join(folder, "ca.crt"), cluster.certificateAuthority ?? "");
  await Deno.writeTextFile(join(folder, "namespace"), namespace);
  await installDefinitions({ client, timing: systemTiming, logger: silentLogger }, new AbortController().signal);
  return folder;
}
