import { rememberToken } from "./token.ts";
import type { ClusterConfig } from "./transport.ts";

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST`. */
  readonly host: string | undefined;
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: string | undefined;
  readonly readTextFile: (path: string) => Promise<string>;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** Default: where every Pod has it. */
  readonly folder?: string;
}

/** The process is not in a Pod, or the Pod has no service account token. */
export class InClusterError extends Error {
  override readonly name = "InClusterError";
}

/**
 * The configuration that each Pod gets: address from the environment, authority and token from files.
 *
 * @throws {InClusterError} if something of it is missing.
 */
export async function inClusterConfig(options: InClusterOptions): Promise<ClusterConfig> {
  const { host, port, folder = "/var/run/secrets/kubernetes.io/serviceaccount" } = options;
  if (!host || !port) {
    throw new InClusterError(
      "Cannot find the API server: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set",
    );
  }
  const read = (name: string) => readFile(`${folder}/${name}`, options.readTextFile);
  const certificateAuthority = await read("ca.crt");
  const token = rememberToken(() => read("token"), options.now);
  await token({ refresh: false });
  // A projected token may come without it.
  const namespace = await options.readTextFile(`${folder}/namespace`).then((text) => text.trim(), () => undefined);
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { server, certificateAuthority, token, ...(namespace === undefined ? {} : { namespace }) };
}

async function readFile(path: string, readTextFile: InClusterOptions["readTextFile"]): Promise<string> {
  try {
    return await readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InClusterError(`Cannot read the service account of this Pod: ${reason}`, { cause: error });
  }
}
