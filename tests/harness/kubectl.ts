import { isKubeError, KubeClient } from "../../kube/client/client.ts";
import { objectPath } from "./resource_paths.ts";
import type { Testbed } from "./testbed.ts";
import { eventually } from "./wait.ts";

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl as a user runs it. */
export class Kubectl {
  readonly #testbed: Testbed;
  readonly #namespace: string;
  readonly #client: KubeClient;

  constructor(testbed: Testbed, namespace: string) {
    this.#testbed = testbed;
    this.#namespace = namespace;
    const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
    this.#client = new KubeClient({ server, certificateAuthority, clientCertificate, clientKey });
  }

  /** Runs one command; never throws for what kubectl refuses. */
  async run(args: readonly string[], stdin?: string, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const command = new Deno.Command(this.#testbed.kubectlPath, {
      args: ["--kubeconfig", this.#testbed.kubeconfigPath, "--namespace", this.#namespace, ...args],
      // kubectl caches what it discovers: a cache of another cluster on the same port would mislead it.
      env: { ...env, KUBECACHEDIR: `${this.#testbed.kubeconfigPath}.cache` },
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    }
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  /** Runs one command that must succeed. */
  async ok(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, stdin);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} failed (${code}): ${stderr}${stdout}`);
    return stdout;
  }

  /** Waits until a user has a right that was just bound: the authorizer hears of it a moment later. */
  async granted(user: string, verb: string, resource: string): Promise<void> {
    const question = ["auth", "can-i", verb, resource, "--as", user];
    await eventually(`${user} may ${verb} ${resource}`, async () => (await this.run(question)).code === 0);
  }

  /** `kubectl apply -f -` of an object; JSON is YAML. */
  async apply(object: unknown, ...flags: readonly string[]): Promise<Answer> {
    return await this.run(["apply", "-f", "-", ...flags], JSON.stringify(object));
  }

  /**
   * Reads an object, or `undefined` if there is none. Conditions are asked for many times a second, and a process for each of
   * their questions would take the processor from what they wait for: so this is a request of our own.
   */
  async get(resource: string, name: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { object } = await this.#client.request("GET", objectPath(resource, this.#namespace, name));
      return object as Record<string, unknown>;
    } catch (error) {
      if (isKubeError(error, 404)) return undefined;
      throw error;
    }
  }
}
