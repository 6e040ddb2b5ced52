import { dirname, join } from "@std/path";
import type { Kubectl } from "./kubectl.ts";
import { OperatorProcess } from "./operator_process.ts";
import type { Testbed } from "./testbed.ts";

interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

/** A container of a Deployment, as the API server keeps it. */
export interface Container {
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

export interface DeployedOptions {
  readonly testbed: Testbed;
  /** Of an administrator, in the namespace of the Deployment. */
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** Name of the Pod that it plays. */
  readonly podName: string;
  /** Of mounted Secrets, by their paths below `/var/run`. */
  readonly files?: Readonly<Record<string, string>>;
  /** After those of the Deployment. */
  readonly flags?: readonly string[];
  /** Where they say so. Default: those of the container. */
  readonly ports?: { readonly http: number; readonly webhook: number };
}

/** The container of the installed Deployment. */
async function readContainer(kubectl: Kubectl): Promise<Container> {
  const text = await kubectl.ok(["get", "deployment", "tablewright", "-o", "json"]);
  const [container] = JSON.parse(text).spec.template.spec.containers as readonly Container[];
  if (container === undefined) throw new Error("the Deployment has no container");
  return container;
}

/**
 * Starts what a kubelet would start for a Pod of the Deployment: its arguments, its environment and nothing else of ours, and the files
 * of its service account at their place, with a token of that account.
 */
export async function startDeployed(options: DeployedOptions): Promise<OperatorProcess> {
  const { testbed, kubectl, podName, flags = [] } = options;
  const container = await readContainer(kubectl);
  const { hostname, port } = new URL(testbed.server);
  const env = {
    ...await resolveEnvironment(container.env, options),
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  const runFolder = await writeRunFolder(options);
  const process = new OperatorProcess({
    name: podName,
    flags: [...container.args.map((arg) => expand(arg, env)), ...flags],
    env,
    ports: options.ports ?? { http: portOf(container, "http"), webhook: portOf(container, "webhook") },
    runFolder,
  });
  void process.ended.then(() => Deno.remove(runFolder, { recursive: true }));
  return process;
}

async function resolveEnvironment(
  variables: readonly EnvironmentVariable[],
  { kubectl, namespace, podName }: DeployedOptions,
): Promise<Record<string, string>> {
  const fields: Readonly<Record<string, string>> = { "metadata.name": podName, "metadata.namespace": namespace };
  const resolved: Record<string, string> = {};
  for (const { name, value, valueFrom } of variables) {
    const text = value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ""] ??
      await readKey(kubectl, valueFrom?.secretKeyRef);
    if (text !== undefined) resolved[name] = text;
  }
  return resolved;
}

async function readKey(
  kubectl: Kubectl,
  reference: { readonly name: string; readonly key: string; readonly optional?: boolean } | undefined,
): Promise<string | undefined> {
  const data = reference &&
    (await kubectl.get("secret", reference.name))?.["data"] as Record<string, string> | undefined;
  const value = reference && data?.[reference.key];
  if (value === undefined && reference?.optional !== true) {
    throw new Error(`nothing is at ${JSON.stringify(reference)}`);
  }
  return value === undefined ? undefined : atob(value);
}

/** As a kubelet does it with `$(NAME)`. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Z_]+)\)/g, (whole, name: string) => env[name] ?? whole);
}

function portOf({ ports }: Container, name: string): number {
  const port = ports.find((each) => each.name === name)?.containerPort;
  if (port === undefined) throw new Error(`the container has no port ${name}`);
  return port;
}

async function writeRunFolder({ testbed, kubectl, namespace, files = {} }: DeployedOptions): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tablewright-run-" });
  const token = (await kubectl.ok(["create", "token", "tablewright", "--duration=1h"])).trim();
  const account = "secrets/kubernetes.io/serviceaccount";
  const all = {
    [`${account}/ca.crt`]: testbed.certificateAuthority,
    [`${account}/namespace`]: namespace,
    [`${account}/token`]: token,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
  return folder;
}
