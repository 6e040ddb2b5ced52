import { resolve } from "@std/path";
import { LocalError } from "./local_error.ts";

/** Which API server the operator works on. */
export type ClusterChoice =
  | { readonly kind: "embedded" }
  | { readonly kind: "kubeconfig"; readonly path: string; readonly context?: string }
  | { readonly kind: "pod" };

/** Which PostgreSQL is the default database. */
export type DatabaseChoice = { readonly kind: "embedded" } | { readonly kind: "url"; readonly url: string };

export interface Choice {
  readonly cluster: ClusterChoice;
  readonly database: DatabaseChoice;
  /** One line a choice, for the log: what was chosen and why. */
  readonly reasons: readonly string[];
}

/** What flags, environment and machine say. */
export interface ChoiceOptions {
  /** `KUBECONFIG`: one path, or several separated by colons. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly embeddedDatabase: boolean;
  /** In a Pod, with a service account. */
  readonly inPod: boolean;
  /** `HOME`, for the kubeconfig that `--context` alone means. */
  readonly home: string | undefined;
  /** Kubeconfig files that an embedded control plane of this clone wrote. */
  readonly ownKubeconfigs: readonly string[];
  /** Passwords of the embedded PostgreSQL of this clone. */
  readonly ownPasswords: readonly string[];
}

/**
 * Chooses by what the user said explicitly; `~/.kube/config` alone says nothing, and what an earlier run printed for pasting
 * means the embedded servers.
 *
 * @throws {LocalError} if tables of somebody's cluster would land in a database of this laptop unasked.
 */
export function chooseServers(options: ChoiceOptions): Choice {
  const [cluster, clusterReason] = chooseCluster(options);
  const [database, databaseReason] = chooseDatabase(options, cluster);
  return { cluster, database, reasons: [clusterReason, databaseReason] };
}

function chooseCluster(options: ChoiceOptions): readonly [ClusterChoice, string] {
  const { context } = options;
  const path = foreignKubeconfig(options);
  const named = context === undefined ? {} : { context };
  if (path !== undefined) {
    const suffix = context === undefined ? "" : `, context ${context}`;
    return [{ kind: "kubeconfig", path, ...named }, `cluster: KUBECONFIG ${path}${suffix}`];
  }
  if (context !== undefined) {
    if (!options.home) throw new LocalError(`Cannot find the context "${context}": set KUBECONFIG or HOME`);
    const file = `${options.home}/.kube/config`;
    return [{ kind: "kubeconfig", path: file, context }, `cluster: context ${context} of ${file} (--context)`];
  }
  if (options.inPod) return [{ kind: "pod" }, "cluster: the one of this Pod"];
  return [{ kind: "embedded" }, "cluster: embedded (neither KUBECONFIG nor --context is set)"];
}

function foreignKubeconfig({ kubeconfig, ownKubeconfigs }: ChoiceOptions): string | undefined {
  const own = new Set(ownKubeconfigs.map((path) => resolve(path)));
  const foreign = (kubeconfig ?? "").split(":").filter((path) => path !== "" && !own.has(resolve(path)));
  return foreign.length === 0 ? undefined : foreign.join(":");
}

function chooseDatabase(options: ChoiceOptions, cluster: ClusterChoice): readonly [DatabaseChoice, string] {
  if (options.embeddedDatabase) return [{ kind: "embedded" }, "database: embedded (--embedded-database)"];
  const url = options.databaseUrl;
  if (url !== undefined && url !== "" && !isOwnUrl(url, options.ownPasswords)) {
    return [{ kind: "url", url }, "database: DATABASE_URL"];
  }
  if (cluster.kind === "embedded") return [{ kind: "embedded" }, "database: embedded (DATABASE_URL is not set)"];
  throw new LocalError(
    "Cannot choose a database: the cluster is not the embedded one: set DATABASE_URL or give --embedded-database",
  );
}

/** By password, since that is generated for each clone and outlives a change of the port. */
function isOwnUrl(url: string, ownPasswords: readonly string[]): boolean {
  return URL.canParse(url) && ownPasswords.includes(new URL(url).password);
}
