import { delay } from "@std/async/delay";
import { join } from "@std/path";
import { type Config, podConfig } from "../handlers/config.ts";
import type { ClusterConfig } from "../kube/client/client.ts";
import { createLogger, type Logger } from "../kube/telemetry/logger.ts";
import { formatBanner } from "./banner.ts";
import { type Choice, chooseServers, type ClusterChoice } from "./choice.ts";
import { findOnPath, readTextIfPresent } from "./files.ts";
import { localFiles, removeLocalFiles, writeLocalFiles } from "./local_files.ts";
import { printLine } from "./output.ts";
import { readPasswords } from "./postgres_setup.ts";
import { type LocalServers, startServers } from "./servers.ts";
import {
  cacheRoot,
  cloneDirectory,
  controlPlaneDirectory,
  type Environment,
  openState,
  postgresDirectory,
} from "./state.ts";

export interface LocalRunOptions {
  readonly config: Config;
  /** Absolute path of the clone. */
  readonly clone: string;
  readonly env: Environment;
}

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/** The operator ends in far less; whoever waits for us waits at most five seconds. */
const OPERATOR_STOP_MS = 2_500;
/** A cluster that goes on without us is worth a longer wait: a webhook that nobody answers would lock its kinds. */
const UNREGISTER_MS = 15_000;

/**
 * Runs the operator with the servers that it is to work on, until `signal` is aborted; then stops the operator, then the servers.
 *
 * @throws {Error} one line for the user, if something cannot start or ends by itself; everything is stopped then too.
 */
export async function runLocally(options: LocalRunOptions, signal: AbortSignal): Promise<void> {
  const { config } = options;

  const logger = createLogger({ format: config.logFormat, level: config.logLevel });
  const root = cacheRoot();
  const choice = await choose(options, root);
  for (const reason of choice.reasons) logger.info(reason);
  if (choice.cluster.kind !== "embedded" && choice.database.kind !== "embedded") {
    await operate(options, { choice, servers: NO_SERVERS, onUnregistered() {} }, signal);
    return;
  }
  const state = await openState({ cacheRoot: root, clone: options.clone, reset: config.reset });
  try {
    for (const name of state.stoppedLeftovers) logger.info(`stopped ${name}, which an earlier run had left`);
    const report = (line: string) => logger.info(line);
    const servers = await startServers({ choice, cacheRoot: root, state, env: options.env, report }, signal);
    await operateWith(options, { choice, servers }, { signal, logger });
  } finally {
    state.release();
  }
}

interface Chosen {
  readonly choice: Choice;
  readonly servers: LocalServers;
}

const NO_SERVERS: LocalServers = { stop: () => Promise.resolve() };

async function operateWith(
  options: LocalRunOptions,
  chosen: Chosen,
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const { servers } = chosen;
  try {
    writeLocalFiles(options.clone, {
      kubeconfig: readTextIfPresent(servers.controlPlane?.kubeconfigPath ?? ""),
      databaseUrl: servers.postgres?.url,
    });
    const unregistered = Promise.withResolvers<void>();
    const operating = operate(options, { ...chosen, onUnregistered: unregistered.resolve }, signal);
    // One that ends too late has nobody left to hear of it.
    operating.catch(() => {});
    await Promise.race([operating, whenToldToStop(signal, logger)]);
    // The operator goes before the servers that it works on.
    const patience = chosen.choice.cluster.kind === "embedded" ? Promise.resolve() : unregistered.promise;
    await endsSoon(operating, patience);
  } finally {
    removeLocalFiles(options.clone);
    await servers.stop();
  }
}

/** Waits for the end of the operator, a little only, but until it is unregistered. */
async function endsSoon(operating: Promise<void>, unregistered: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const wait = (ms: number) => delay(ms, { signal: ended.signal }).catch(() => {});
  const enough = Promise.all([wait(OPERATOR_STOP_MS), Promise.race([unregistered, wait(UNREGISTER_MS)])]);
  try {
    await Promise.race([operating, enough]);
  } finally {
    ended.abort();
  }
}

/** Resolves when we are told to stop, so that an operator that does not end holds nobody up. */
async function whenToldToStop(signal: AbortSignal, logger: Logger): Promise<void> {
  if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
  logger.info("stopping");
}

async function operate(
  options: LocalRunOptions,
  { choice, servers, onUnregistered }: Chosen & { readonly onUnregistered: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { run } = await import("../main.ts");
  await run(configFor(choice.cluster, options.config), {
    cluster: await clusterConfig(choice.cluster, servers, options.env),
    databaseUrl: choice.database.kind === "url" ? choice.database.url : servers.postgres?.url ?? "",
    databaseDirectUrl: choice.database.kind === "url" ? options.config.databaseDirectUrl : undefined,
    embeddedCluster: choice.cluster.kind === "embedded",
    onReady: () => printBanner(options, choice, servers),
    onUnregistered,
  }, signal);
}

/** Also in a Pod the embedded cluster is nobody else's, and no Service leads to us. */
function configFor(cluster: ClusterChoice, config: Config): Config {
  switch (cluster.kind) {
    case "pod":
      return podConfig(config);
    case "embedded":
      return { ...config, inPod: false, standalone: true };
    case "kubeconfig":
      return config;
  }
}

async function choose({ config, clone, env }: LocalRunOptions, root: string): Promise<Choice> {
  const directory = await cloneDirectory(root, clone);
  const passwords = readPasswords(postgresDirectory({ directory }));
  return chooseServers({
    kubeconfig: config.kubeconfig,
    context: config.context,
    databaseUrl: config.databaseUrl,
    embeddedDatabase: config.embeddedDatabase,
    inPod: config.inPod && readTextIfPresent(SERVICE_ACCOUNT_TOKEN) !== undefined,
    home: env["HOME"],
    ownKubeconfigs: [localFiles(clone).kubeconfig, join(controlPlaneDirectory({ directory }), "kubeconfig")],
    ownPasswords: passwords === undefined ? [] : [passwords.operator, passwords.superuser],
  });
}

async function clusterConfig(choice: ClusterChoice, servers: LocalServers, env: Environment): Promise<ClusterConfig> {
  switch (choice.kind) {
    case "embedded": {
      if (servers.controlPlane === undefined) {
        throw new TypeError("an embedded cluster was chosen and none was started");
      }
      const { server, certificateAuthority, clientCertificate, clientKey } = servers.controlPlane;
      return { server, certificateAuthority, clientCertificate, clientKey };
    }
    case "kubeconfig": {
      const { loadKubeconfig } = await import("../kube/client/kubeconfig.ts");
      return await loadKubeconfig({
        path: choice.path,
        ...(choice.context === undefined ? {} : { context: choice.context }),
      });
    }
    case "pod": {
      const { inClusterConfig } = await import("../kube/client/in_cluster.ts");
      return await inClusterConfig({
        host: env["KUBERNETES_SERVICE_HOST"],
        port: env["KUBERNETES_SERVICE_PORT"],
        readTextFile: Deno.readTextFile,
        now: () => performance.now(),
      });
    }
  }
}

function printBanner({ config, clone, env }: LocalRunOptions, choice: Choice, servers: LocalServers): void {
  const files = localFiles(clone);
  const embedded = choice.cluster.kind === "embedded";
  const kubectl = findOnPath("kubectl", env["PATH"]) === undefined ? servers.kubectl ?? "kubectl" : "kubectl";
  printLine(formatBanner({
    clone,
    kubectl,
    hasPsql: servers.postgres !== undefined && findOnPath("psql", env["PATH"]) !== undefined,
    simulatesPods: embedded,
    admission: config.webhooks && (embedded || config.webhookUrl !== undefined || config.webhookService !== undefined),
    ...(embedded ? { kubeconfig: files.kubeconfig } : {}),
    ...(servers.postgres === undefined ? {} : { databaseUrlFile: files.databaseUrl }),
  }));
}
