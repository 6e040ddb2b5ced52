// The command line is this file's: what it prints goes to a person.
// deno-lint-ignore-file no-console
import { Admission } from "./handlers/admission.ts";
import { chooseCluster } from "./handlers/choose_cluster.ts";
import { type Config, type Environment, parseCommandLine } from "./handlers/config.ts";
import { controlKind, type ControlOptions, type KindControl } from "./handlers/control.ts";
import { TABLE_RESOURCE } from "./handlers/database_table/handler.ts";
import { StartError } from "./handlers/errors.ts";
import { installDefinitions } from "./handlers/install.ts";
import { createKinds } from "./handlers/kinds.ts";
import { readClusterId } from "./handlers/namespace.ts";
import { openDatabases } from "./handlers/open_databases.ts";
import { createOperationsApp } from "./handlers/server.ts";
import { countStopRequests } from "./handlers/stop_requests.ts";
import { meetNamespaces } from "./handlers/watched_namespaces.ts";
import { type ClusterConfig, KubeClient, KubeError } from "./kube/client.ts";
import { EventRecorder } from "./kube/event_recorder.ts";
import { InClusterError } from "./kube/in_cluster.ts";
import { KubeconfigError } from "./kube/kubeconfig.ts";
import { createLogger, type Logger } from "./kube/logger.ts";
import { systemTiming, whenAborted } from "./kube/timing.ts";
import { RegistryGate, RegistryUntrusted, SuperuserRefused } from "./postgres/registry/registry_gate.ts";
import { PostgresError } from "./postgres/session/errors.ts";

export { StartError };

/** What the operator works on. Who chose it, and how, is the caller's matter. */
export interface Connections {
  readonly cluster: ClusterConfig;
  readonly databaseUrl: string;
  /** Whether the API server runs on this machine and ends with us: only then may it call a loopback address. */
  readonly embeddedCluster: boolean;
  /** Called once everything is served, watched and registered. */
  readonly onReady?: () => void;
  /** Called once the API server was told to call us no more; work that was begun may still go on. */
  readonly onUnregistered?: () => void;
}

const START_TIMEOUT_MS = 10_000;

/**
 * Runs the operator until `signal` is aborted, then stops everything in order.
 *
 * @throws {StartError} one line, if it cannot start and only a person can mend that.
 */
export async function run(config: Config, connections: Connections, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ format: config.logFormat, level: config.logLevel });
  await using resources = new AsyncDisposableStack();
  const client = resources.adopt(openClient(connections.cluster), (each) => each.close());
  const { database, verdictDatabase, recovery } = resources.use(openDatabases(config, connections.databaseUrl, logger));
  const gate = new RegistryGate(database, { allowSuperuser: config.allowSuperuser, now: systemTiming.now });
  const clusterId = await meetCluster(client, signal);
  const whenMissing = connections.embeddedCluster ? "create" : "warn";
  const namespaces = await meetNamespaces({ client, whenMissing, logger }, config.namespaces, signal);
  await meetDatabase(gate, logger, signal);
  if (config.installCrds) await install(client, logger, signal);

  const timing = systemTiming;
  const events = new EventRecorder({ client, reportingInstance: config.instance, timing, logger });
  const kinds = createKinds({ client, database, verdictDatabase, gate, clusterId, events, timing, logger });
  const admission = await Admission.create({
    config,
    embeddedCluster: connections.embeddedCluster,
    client,
    kinds,
    probeType: TABLE_RESOURCE,
    timing,
    logger,
  });
  const control = {
    client,
    namespaces: config.namespaces,
    workers: config.maxConcurrentReconciles,
    timing,
    logger,
    isExpected,
    recovery,
  };
  const controls = kinds.flatMap((kind) => controlKind(kind, control satisfies ControlOptions) ?? []);
  resources.adopt(serveReviews(config, connections, admission), (server) => server.shutdown());
  resources.adopt(serveOperations(config, controls, admission), (server) => server.shutdown());
  const onReady = () => {
    logger.info("ready", { webhookPort: config.webhookPort, httpPort: config.httpPort, database: database.address });
    connections.onReady?.();
  };
  // Where no namespace is, nothing can be admitted, nor the way to us be proven: that waits until there is one.
  const isProvable = config.namespaces.length === 0 || namespaces.length > 0;
  await operate({ controls, admission, events, isProvable, ...connections, onReady }, signal);
}

interface Operation extends Pick<Connections, "onReady" | "onUnregistered"> {
  readonly controls: readonly KindControl[];
  readonly admission: Admission;
  readonly events: EventRecorder;
  /** Whether there is a namespace in which a registration can be proven. */
  readonly isProvable: boolean;
}

/** Watches, reconciles and admits until `signal` is aborted or something throws; either way it ends in the same order. */
async function operate(operation: Operation, signal: AbortSignal): Promise<void> {
  const { controls, admission, events, onReady, onUnregistered } = operation;
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const loops = Promise.all([...controls.map((each) => each.run(stop)), admission.watchCertificate(stop)]);
  await using work = new AsyncDisposableStack();
  work.defer(async () => {
    failed.abort();
    // The webhooks go first, while the listener still answers: whoever waits for us may not wait for the drain.
    await Promise.all([admission.unregister().then(onUnregistered), loops]);
    await events.flush();
  });
  await becomeReady(operation, stop);
  if (!signal.aborted) onReady?.();
  await whenAborted(signal);
}

function openClient(cluster: ClusterConfig): KubeClient {
  try {
    return new KubeClient(cluster);
  } catch (error) {
    throw error instanceof TypeError ? new StartError(error.message.replaceAll(/\s+/g, " ")) : error;
  }
}

/** Waits a moment for an API server that has just started; whoever gave a wrong address wants to know it. */
async function meetCluster(client: KubeClient, signal: AbortSignal): Promise<string> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  while (true) {
    try {
      return await readClusterId(client, signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (patience.aborted || error.status === 401) throw new StartError(error.message);
      await systemTiming.delay(250, patience).catch(() => {});
    }
  }
}

async function install(client: KubeClient, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    await installDefinitions({ client, timing: systemTiming, logger }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new StartError(
      `Cannot install the CustomResourceDefinitions and the static policy: ${error.message}; ` +
        "let an administrator do it, and give --no-crds",
    );
  }
}

/** A database that is down is waited for by every table; a role that may do everything is refused at once. */
async function meetDatabase(gate: RegistryGate, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    await gate.check(AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]));
  } catch (error) {
    if (error instanceof SuperuserRefused) throw new StartError(error.message);
    if (!isExpected(error)) throw error;
    logger.warn("the database cannot be used yet", { reason: error instanceof Error ? error.message : String(error) });
  }
}

function isExpected(error: unknown): boolean {
  return [PostgresError, RegistryUntrusted, SuperuserRefused].some((known) => error instanceof known);
}

function serveReviews(config: Config, connections: Connections, admission: Admission): Deno.HttpServer {
  const { certificate, privateKey } = admission.servingPair;
  const hostname = connections.embeddedCluster ? "127.0.0.1" : "0.0.0.0";
  return listen(
    "--webhook-port",
    config.webhookPort,
    () =>
      Deno.serve(
        { port: config.webhookPort, hostname, cert: certificate, key: privateKey, onListen },
        admission.app.fetch,
      ),
  );
}

function serveOperations(config: Config, controls: readonly KindControl[], admission: Admission): Deno.HttpServer {
  const app = createOperationsApp([
    { name: "admission", check: () => admission.readiness() },
    ...controls.map(({ name, informer }) => ({
      name: `cache-${name}`,
      // A kind whose CRD is absent is polled, and makes nobody unready.
      check: () => informer.state === "syncing" ? "the first list is not complete" : undefined,
    })),
  ]);
  const { httpPort: port, httpHost: hostname } = config;
  return listen(
    hostname === undefined ? "--http-port" : "--liveness",
    port,
    () => Deno.serve({ port, onListen, ...(hostname === undefined ? {} : { hostname }) }, app.fetch),
  );
}

/** Deno would print a line of its own. */
function onListen(): void {}

function listen(flag: string, port: number, serve: () => Deno.HttpServer): Deno.HttpServer {
  try {
    return serve();
  } catch (error) {
    const why = listenFault(error);
    if (why === undefined) throw error;
    throw new StartError(`Cannot listen on port ${port}: ${why}; choose another with ${flag}`);
  }
}

function listenFault(error: unknown): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) return "it is in use";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine does not have the address";
  return error instanceof Error && /failed to lookup/.test(error.message) ? "the host name is not known" : undefined;
}

async function becomeReady({ controls, admission, isProvable }: Operation, signal: AbortSignal): Promise<void> {
  const synced = controls.map(({ informer }) => informer.whenSynced(signal));
  const registered = admission.register(signal);
  try {
    await Promise.all(isProvable ? [...synced, registered] : synced);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Starts the operator on a cluster and a database that are there; `deno task run` (local/run.ts) can also bring its own. */
async function main(args: readonly string[], env: Environment): Promise<number> {
  const command = parseCommandLine(args, env);
  switch (command.kind) {
    case "help":
    case "version":
      console.log(command.text);
      return 0;
    case "usage":
      console.error(command.message);
      return 64;
    case "run":
      return await runUntilSignal(command.config, env);
  }
}

async function runUntilSignal(config: Config, env: Environment): Promise<number> {
  const stop = new AbortController();
  const requests = { onStop: () => stop.abort(), onForce: () => Deno.exit(1) };
  const request = countStopRequests(requests, () => performance.now());
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, request);
  try {
    await runOnCluster(config, env, stop.signal);
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    const isKnown = [StartError, KubeconfigError, InClusterError, KubeError].some((known) => error instanceof known);
    if (!isKnown || !(error instanceof Error)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function runOnCluster(given: Config, env: Environment, signal: AbortSignal): Promise<void> {
  const machine = { env, readTextFile: (path: string) => Deno.readTextFile(path), now: systemTiming.now };
  const { cluster, config } = await chooseCluster(given, machine);
  if (config.databaseUrl === undefined) throw new StartError("Cannot choose a database: DATABASE_URL must be set");
  await run(config, { cluster, databaseUrl: config.databaseUrl, embeddedCluster: false }, signal);
}

if (import.meta.main) {
  const env = { ...Deno.env.toObject(), HOSTNAME: Deno.hostname() };
  Deno.exit(await main(Deno.args, env));
}
