import type { Cluster, KubeConfig } from "@kubernetes/client-node";
import { rememberToken, type TokenSource } from "./token.ts";
import type { ClusterConfig } from "./transport.ts";

export interface KubeconfigOptions {
  /** A file, or several separated by `:`, of which the first that names a thing wins, as in `KUBECONFIG`. */
  readonly path: string;
  /** Default: the file's current context. */
  readonly context?: string;
  /** Milliseconds of a clock that never jumps; default: the machine's. */
  readonly now?: () => number;
}

/** A kubeconfig that cannot be used; the message is one line for whoever wrote it. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/** What client-node fills in of an HTTPS request. */
interface Credentials {
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Reads a kubeconfig: certificates as data or files, tokens, exec plugins.
 *
 * @kubernetes/client-node does the reading. It costs 85 MB and 200 ms, so it is loaded here only, when this is called.
 *
 * @throws {KubeconfigError} if the file, the context, its cluster or its user is missing or unreadable.
 */
export async function loadKubeconfig(options: KubeconfigOptions): Promise<ClusterConfig> {
  const config = await parseFiles(options);
  const cluster = currentCluster(config, options);
  const credentials = await readCredentials(config, options);
  const usesToken = credentials.headers?.Authorization !== undefined;
  const authority = await readAuthority(cluster, options);
  return {
    server: cluster.server,
    ...(authority === undefined ? {} : { certificateAuthority: authority }),
    ...(credentials.cert === undefined ? {} : { clientCertificate: toText(credentials.cert) }),
    ...(credentials.key === undefined ? {} : { clientKey: toText(credentials.key) }),
    ...(cluster.skipTLSVerify ? { insecureSkipTlsVerify: true } : {}),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    ...(usesToken
      ? { token: rememberToken(tokenSource(config, options), options.now ?? (() => performance.now())) }
      : {}),
  };
}

async function parseFiles(options: KubeconfigOptions): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const paths = options.path.split(":").filter((path) => path !== "");
  const parts: KubeConfig[] = [];
  for (const path of paths) {
    // Of a list, files may be missing, as for kubectl.
    if (!(await isReadable(path, paths.length > 1 ? "optional" : "required"))) continue;
    const part = new KubeConfig();
    try {
      part.loadFromFile(path);
    } catch (error) {
      throw failure(`Cannot use the kubeconfig ${path}`, error);
    }
    parts.push(part);
  }
  if (parts.length === 0) throw new KubeconfigError(`Cannot read the kubeconfig ${options.path}: no such file`);
  return merge(new KubeConfig(), parts, options);
}

/** Puts parts together; of entries with the same name the first stays. */
function merge(whole: KubeConfig, parts: readonly KubeConfig[], options: KubeconfigOptions): KubeConfig {
  const currentContext = options.context ?? parts.map((part) => part.currentContext).find((name) => name);
  whole.loadFromOptions({
    clusters: firstOfEachName(parts.flatMap((part) => part.clusters)),
    users: firstOfEachName(parts.flatMap((part) => part.users)),
    contexts: firstOfEachName(parts.flatMap((part) => part.contexts)),
    currentContext,
  });
  return whole;
}

function currentCluster(config: KubeConfig, options: KubeconfigOptions): Cluster {
  const where = `the kubeconfig ${options.path}`;
  const name = config.currentContext;
  if (!name) throw new KubeconfigError(`Cannot use ${where}: it has no current context, and none was given`);
  const context = config.getContextObject(name);
  if (context === null) {
    const known = config.contexts.map((each) => `"${each.name}"`).join(", ") || "none";
    throw new KubeconfigError(`Cannot use ${where}: it has no context "${name}": its contexts are ${known}`);
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null) {
    throw new KubeconfigError(
      `Cannot use ${where}: context "${name}" names the cluster "${context.cluster}", which is missing`,
    );
  }
  if (config.getUser(context.user) === null) {
    throw new KubeconfigError(
      `Cannot use ${where}: context "${name}" names the user "${context.user}", which is missing`,
    );
  }
  if (cluster.tlsServerName) {
    throw new KubeconfigError(`Cannot use ${where}: tls-server-name of cluster "${cluster.name}" is not supported`);
  }
  return cluster;
}

async function readCredentials(config: KubeConfig, options: KubeconfigOptions): Promise<Credentials> {
  const credentials: Credentials = {};
  try {
    await config.applyToHTTPSOptions(credentials as Parameters<KubeConfig["applyToHTTPSOptions"]>[0]);
  } catch (error) {
    throw failure(`Cannot log in with the kubeconfig ${options.path}`, error);
  }
  if (credentials.headers?.["Impersonate-User"] !== undefined) {
    throw new KubeconfigError(`Cannot use the kubeconfig ${options.path}: impersonation (as) is not supported`);
  }
  return credentials;
}

/** client-node remembers what an exec plugin gave until it expires; after a refusal it must run again, so all is loaded anew. */
function tokenSource(config: KubeConfig, options: KubeconfigOptions): TokenSource {
  let current = config;
  return async ({ refresh }) => {
    if (refresh) current = await parseFiles(options);
    const { headers } = await readCredentials(current, options);
    return (headers?.Authorization ?? "").replace(/^Bearer /, "");
  };
}

async function readAuthority(cluster: Cluster, options: KubeconfigOptions): Promise<string | undefined> {
  try {
    if (cluster.caFile) return await Deno.readTextFile(cluster.caFile);
    return cluster.caData ? atob(cluster.caData) : undefined;
  } catch (error) {
    throw failure(`Cannot read the certificate authority of the kubeconfig ${options.path}`, error);
  }
}

async function isReadable(path: string, presence: "optional" | "required"): Promise<boolean> {
  try {
    await Deno.readTextFile(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      if (presence === "optional") return false;
      throw new KubeconfigError(`Cannot read the kubeconfig ${path}: no such file`);
    }
    throw failure(`Cannot read the kubeconfig ${path}`, error);
  }
}

function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  return entries.filter((entry, index) => entries.findIndex((each) => each.name === entry.name) === index);
}

function toText(value: string | Uint8Array): string {
  return typeof value === "string" ? value : new TextDecoder().decode(value);
}

function failure(what: string, error: unknown): KubeconfigError {
  const reason = error instanceof Error ? error.message : String(error);
  return new KubeconfigError(`${what}: ${reason.split("\n")[0] ?? ""}`, { cause: error });
}
