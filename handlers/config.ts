import { parseArgs } from "@std/cli/parse-args";
import { parseQualifiedName } from "../postgres/text/qualified_name.ts";

import { readWebhookFlags, WEBHOOK_FLAGS, type WebhookFlags } from "./webhook_flags.ts";
import { optional, type Parsed, readEnum, readNumber, text, UsageError } from "./flags.ts";

/** Everything that flags and the environment decide; see `HELP` for the words that users know. */
export interface Config extends WebhookFlags {
  /** Namespaces to watch; empty = all. */
  readonly namespaces: readonly string[];
  readonly httpPort: number;
  /** The address for health; absent: all of this machine. */
  readonly httpHost?: string;
  /** Names configurations and field managers. */
  readonly instance: string;
  readonly installCrds: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly databaseUrl?: string;
  /** To the same database past a pooler. */
  readonly databaseDirectUrl?: string;
  /** `NAMESPACE/NAME` of a Database -> `HOST:PORT` where it is reached instead of its Service. */
  readonly databaseAddresses: ReadonlyMap<string, string>;
  readonly embeddedDatabase: boolean;
  readonly reset: boolean;
  readonly allowSuperuser: boolean;
  /** Functions that expressions may call although nobody but the administrator answers for them, as `schema.name`, folded. */
  readonly allowedFunctions: ReadonlySet<string>;
  readonly inPod: boolean;
  /** Whether to work without leader election: the only replica there is. */
  readonly standalone: boolean;
  /** Where the Lease is; absent: the namespace of the Pod. */
  readonly leaderElectionNamespace?: string;
  /** Of this process, for people who look at the Lease. */
  readonly processName: string;
  readonly logFormat: "plain" | "full" | "json";
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** Most objects of one kind that are reconciled at the same time. */
  readonly maxConcurrentReconciles: number;
  /** How often databases are swept for what somebody changed by hand, in milliseconds, more or less. */
  readonly sweepIntervalMs: number;
}

const SWEEP_INTERVAL_MS = 30_000;

export type Command =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "health"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version"; readonly text: string }
  | { readonly kind: "usage"; readonly message: string };

export type Environment = Readonly<Record<string, string | undefined>>;

export const VERSION = "0.1.0";

export const HELP = `Tablewright: PostgreSQL tables as Kubernetes objects

Usage: tablewright [run] [flags]
       tablewright health [flags]     exit 0 if the operator on this machine, with the same flags, is alive
       tablewright plan -f FILE       what applying a file would do to the database
       tablewright import [TABLE...]  objects for tables that exist
       tablewright uninstall          webhooks and finalizers out of a cluster; tables stay
       tablewright version
       tablewright COMMAND --help

  -n, --namespace NAME      watch this namespace; repeatable (also WATCH_NAMESPACE, comma-separated)
  -A, --all-namespaces      watch all namespaces (default)
      --context NAME        use this context of the kubeconfig
      --webhook-service NAMESPACE/NAME[:PORT]   the Service through which the API server reaches the admission
                            servers; Secret <instance>-ca in its namespace keeps their certificates (port 443)
      --webhook-url URL     where the API server reaches the admission server of this process
      --webhook-port PORT   admission, HTTPS (8443)
      --cert-dir FOLDER     tls.crt, tls.key and maybe ca.crt of the admission server, read again when they change; the
                            CA bundle of the configurations is then left to whoever (cert-manager) makes these files
      --webhook-token-file FILE   a review must carry one of the bearer tokens in it, one a line
      --http-port PORT      health and metrics, HTTP (8080)
  -L, --liveness URL        health and metrics at this http://HOST:PORT, instead of --http-port
      --webhooks on|off     register webhooks (on)
      --instance NAME       name of configurations, Lease and field manager (tablewright)
      --dev                 register webhooks with failurePolicy Ignore
      --no-crds             install neither the CustomResourceDefinitions nor the static policy that holds
                            deletionPolicy Forbid while the operator is down (in a Pod they never are)
      --standalone          work without leader election: no other replica runs (outside a Pod the default)
      --leader-election-namespace NAME   where the Lease is (the Pod's own namespace); named like the instance
      --database-address NAMESPACE/NAME=HOST:PORT   reach the server of this Database here, not through its
                            Service: outside of the cluster, with kubectl port-forward; repeatable
      --embedded-database   start a PostgreSQL although the cluster is not the embedded one
      --reset               remove the state of earlier local runs first
      --allow-superuser     accept a DATABASE_URL whose role is a superuser
      --allow-function SCHEMA.NAME    let expressions call this function, which runs with the operator's rights;
                            repeatable (also TABLEWRIGHT_ALLOW_FUNCTION, comma-separated)
      --max-concurrent-reconciles N   objects of one kind in work at the same time (10)
      --log-format plain|full|json    (plain)
  -v, --verbose | -d, --debug | -q, --quiet
  -h, --help

Environment: KUBECONFIG, DATABASE_URL, DATABASE_DIRECT_URL, WATCH_NAMESPACE, POD_NAME, POD_NAMESPACE, TABLEWRIGHT_ALLOW_FUNCTION,
TABLEWRIGHT_CACHE
`;

const STRINGS = [
  "liveness",
  "context",
  ...WEBHOOK_FLAGS,
  "http-port",
  "instance",
  "leader-election-namespace",
  "log-format",
  "max-concurrent-reconciles",
];
/** Flags that may be given several times. */
const LISTS = ["namespace", "allow-function", "database-address"];
const BOOLEANS = [
  "all-namespaces",
  "dev",
  "no-crds",
  "embedded-database",
  "reset",
  "allow-superuser",
  "standalone",
  "verbose",
  "debug",
  "quiet",
  "help",
];
const ALIASES = {
  n: "namespace",
  A: "all-namespaces",
  L: "liveness",
  v: "verbose",
  d: "debug",
  q: "quiet",
  h: "help",
};

/** Reads the command line; every fault is one line that names the flag. Pure: the environment is an argument. */
export function parseCommandLine(args: readonly string[], env: Environment): Command {
  const unknown: string[] = [];
  const parsed = parseArgs([...args], {
    string: [...STRINGS, ...LISTS],
    boolean: BOOLEANS,
    collect: LISTS,
    alias: ALIASES,
    unknown: (name: string, key?: string) => {
      if (key !== undefined) unknown.push(name);
      return key === undefined;
    },
  }) as Parsed & { readonly _: readonly (string | number)[] };
  if (unknown.length > 0) return usage(`unknown flag ${unknown[0]}`);
  const [verb = "run", ...rest] = parsed._.map(String);
  if (parsed["help"] === true || verb === "help") return { kind: "help", text: HELP };
  if (verb === "version") return { kind: "version", text: versionText(env) };
  const isKnown = verb === "run" || verb === "health";
  if (!isKnown || rest.length > 0) return usage(`unknown argument "${isKnown ? rest[0] : verb}"`);
  try {
    return { kind: verb, config: readConfig(parsed, env) };
  } catch (error) {
    if (error instanceof UsageError) return usage(error.message);
    throw error;
  }
}

/** What holds in a Pod: an administrator installs the definitions, and the operator's role may not. */
export function podConfig(config: Config): Config {
  return { ...config, installCrds: false };
}

/** The commit is known to what was built of it: a compiled binary and an image carry it in their environment. */
function versionText(env: Environment): string {
  return `tablewright ${VERSION} (commit ${env["TABLEWRIGHT_COMMIT"] || "unknown"})`;
}

function usage(message: string): Command {
  return { kind: "usage", message: `${message}; see --help` };
}

function readConfig(parsed: Parsed, env: Environment): Config {
  const inPod = env["KUBERNETES_SERVICE_HOST"] !== undefined;
  return {
    namespaces: readNamespaces(parsed, env),
    ...readWebhookFlags(parsed),
    ...readHealthAddress(parsed),
    maxConcurrentReconciles: readNumber(parsed, "max-concurrent-reconciles", { fallback: 10, max: 1_000 }),
    sweepIntervalMs: SWEEP_INTERVAL_MS,
    instance: readInstance(parsed, env),
    installCrds: parsed["no-crds"] !== true,
    embeddedDatabase: parsed["embedded-database"] === true,
    reset: parsed["reset"] === true,
    allowSuperuser: parsed["allow-superuser"] === true,
    allowedFunctions: readAllowedFunctions(parsed, env),
    inPod,
    ...readElection(parsed, env, inPod),
    processName: env["POD_NAME"] || env["HOSTNAME"] || "tablewright",
    logFormat: readEnum(parsed, "log-format", ["plain", "full", "json"]) ?? "plain",
    logLevel: readLogLevel(parsed),
    ...optional("context", text(parsed, "context")),
    ...optional("kubeconfig", env["KUBECONFIG"] || undefined),
    ...optional("databaseUrl", env["DATABASE_URL"] || undefined),
    ...optional("databaseDirectUrl", env["DATABASE_DIRECT_URL"] || undefined),
    databaseAddresses: readDatabaseAddresses(parsed),
  };
}

function readNamespaces(parsed: Parsed, env: Environment): readonly string[] {
  const flags = (parsed["namespace"] ?? []) as readonly string[];
  const all = parsed["all-namespaces"] === true;
  if (all && flags.length > 0) throw new UsageError("-n and -A exclude each other");
  if (all) return [];
  const names = flags.length > 0 ? flags : (env["WATCH_NAMESPACE"] ?? "").split(",").map((name) => name.trim());
  // Compared with the name, never with a pattern: kopf's globs would silently watch nothing.
  return [
    ...new Set(flags.length > 0 ? names.map(namespaceName) : names.filter((name) => name !== "").map(namespaceName)),
  ];
}

/** Outside a Pod there are no replicas, unless somebody says where they meet. */
function readElection(
  parsed: Parsed,
  env: Environment,
  inPod: boolean,
): Pick<Config, "standalone" | "leaderElectionNamespace"> {
  const given = text(parsed, "leader-election-namespace");
  if (parsed["standalone"] === true && given !== undefined) {
    throw new UsageError("--standalone and --leader-election-namespace exclude each other");
  }
  const namespace = given ?? (env["POD_NAMESPACE"] || undefined);
  const standalone = parsed["standalone"] === true || (!inPod && given === undefined);
  if (standalone || namespace === undefined) return { standalone };
  return { standalone, leaderElectionNamespace: namespaceName(namespace) };
}

function readDatabaseAddresses(parsed: Parsed): ReadonlyMap<string, string> {
  const given = (parsed["database-address"] ?? []) as readonly string[];
  return new Map(given.map((each) => {
    const match = /^([-a-z0-9]+\/[-a-z0-9]+)=((?:[-.A-Za-z0-9]+|\[[0-9a-fA-F:.]+\]):[1-9]\d{0,4})$/.exec(each);
    if (match === null) {
      throw new UsageError(`--database-address must be NAMESPACE/NAME=HOST:PORT: current value is "${each}"`);
    }
    return [match[1] ?? "", match[2] ?? ""];
  }));
}

function namespaceName(name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`"${name}" is not the name of a namespace (no globs)`);
}

/** The functions of `--allow-function` and `TABLEWRIGHT_ALLOW_FUNCTION`, with their schemas. @throws {UsageError} */
export function readAllowedFunctions(parsed: Parsed, env: Environment): ReadonlySet<string> {
  const flags = (parsed["allow-function"] ?? []) as readonly string[];
  const listed = (env["TABLEWRIGHT_ALLOW_FUNCTION"] ?? "").split(",").map((name) => name.trim());
  const names = [...flags, ...listed.filter((name) => name !== "")];
  return new Set(names.map((text) => {
    const name = parseQualifiedName(text);
    if (name.ok && name.value.schema !== undefined) return `${name.value.schema}.${name.value.name}`;
    const source = flags.includes(text) ? "--allow-function" : "TABLEWRIGHT_ALLOW_FUNCTION";
    throw new UsageError(`${source} must be a schema and a name with a dot between them: current value is "${text}"`);
  }));
}

/** Where health is served: kopf's users name a URL. */
function readHealthAddress(parsed: Parsed): Pick<Config, "httpPort" | "httpHost"> {
  const value = text(parsed, "liveness");
  if (value === undefined) return { httpPort: readNumber(parsed, "http-port", { fallback: 8080, max: 65_535 }) };
  if (parsed["http-port"] !== undefined) throw new UsageError("--liveness and --http-port exclude each other");
  const url = URL.parse(value);
  const isPlain = url?.protocol === "http:" && url.search === "" && url.hash === "" && url.username === "";
  if (!isPlain || !["/", "/healthz"].includes(url.pathname) || url.port === "0") {
    throw new UsageError(
      `--liveness must be http://HOST:PORT, which then answers on /healthz: current value is "${value}"`,
    );
  }
  return { httpHost: url.hostname.replace(/^\[|\]$/g, ""), httpPort: Number(url.port || "80") };
}

/** Two laptops that point one cluster at themselves must not write the same configuration. */
function readInstance(parsed: Parsed, env: Environment): string {
  const host = (env["HOSTNAME"] ?? "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, 30).replace(
    /^-+|-+$/g,
    "",
  );
  const fallback = text(parsed, "webhook-url") === undefined || host === "" ? "tablewright" : `tablewright-${host}`;
  const instance = text(parsed, "instance") ?? fallback;
  if (/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/.test(instance)) return instance;
  throw new UsageError(
    `--instance must be a lower-case DNS label of at most 42 characters: current value is "${instance}"`,
  );
}

function readLogLevel(parsed: Parsed): Config["logLevel"] {
  if (parsed["debug"] === true || parsed["verbose"] === true) return "debug";
  return parsed["quiet"] === true ? "warning" : "info";
}
