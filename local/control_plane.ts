import { delay } from "@std/async/delay";
import { join } from "@std/path";
import type { Binaries } from "./binaries.ts";
import { AUDIT_POLICY, encodeKubeconfig } from "./cluster_files.ts";
import { type CertificateFiles, ensureCertificates } from "./certificates.ts";
import { type Child, describeEnd, lastLogLine, startChild, stopLeftovers } from "./children.ts";
import { removeIfPresent, writeFileAtomically } from "./files.ts";
import { LocalError } from "./local_error.ts";

/** A real etcd, kube-apiserver and kube-controller-manager of our own. Certificates and keys are PEM texts. */
export interface ControlPlane {
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly auditLogPath?: string;
  /** Resolves with one line when etcd or kube-apiserver ends and nobody stopped it. */
  readonly failed: Promise<string>;
  /** Ends kube-apiserver alone, as an outage of the API. */
  stopApiServer(): Promise<void>;
  /** Resolves when it is ready again. */
  startApiServer(): Promise<void>;
  /** Ends everything, in order. May be called again. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Keeps data, certificates, logs; made if absent. One running control plane a folder. */
  readonly directory: string;
  readonly binaries: Binaries;
  readonly ports: { readonly etcd: number; readonly etcdPeer: number; readonly apiServer: number };
  /** Default: the loopback address. */
  readonly bindAddress?: string;
  readonly extraApiServerFlags?: readonly string[];
  /** Called with one line when a component ends that nobody stopped; it is then started again. Default: only kube-controller-manager is. */
  readonly onRestart?: (line: string) => void;
  /** Writes what happens to the kinds of this project to {@linkcode ControlPlane.auditLogPath}. */
  readonly audit?: boolean;
}

const LOOPBACK = "127.0.0.1";
const READY_DEADLINE_MS = 90_000;
const POLL_MS = 30;
const RESTART_DELAY_MS = 1_000;

type Context = ControlPlaneOptions & { readonly files: CertificateFiles; readonly auditLogPath?: string };

/**
 * Starts a control plane and waits until `/readyz` answers an administrator: 3 s on two cores.
 *
 * @throws {LocalError} naming the component and its log, if one does not start.
 */
export async function startControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<ControlPlane> {
  await Deno.mkdir(options.directory, { recursive: true, mode: 0o700 });
  await stopLeftovers(options.directory);
  const running: Running = { components: new Map(), stopping: new Set(), ...onEnd(options) };
  try {
    keepRunning(running, "etcd", () => startEtcd(options));
    const address = options.bindAddress ?? LOOPBACK;
    const server = `https://${address}:${options.ports.apiServer}`;
    const { certificates, files } = await ensureCertificates({
      directory: join(options.directory, "certificates"),
      addresses: [address],
      now: new Date(),
    });
    const credentials = {
      server,
      certificateAuthority: certificates.authority.certificate,
      clientCertificate: certificates.admin.certificate,
      clientKey: certificates.admin.privateKey,
    };
    const kubeconfigPath = join(options.directory, "kubeconfig");
    writeFileAtomically(kubeconfigPath, encodeKubeconfig(credentials), { mode: 0o600 });
    const context: Context = { ...options, files, ...(options.audit ? prepareAudit(options.directory) : {}) };
    const startApiServer = async () => {
      keepRunning(running, "kube-apiserver", () => startApiServerProcess(context));
      await waitUntilReady({ credentials, running, signal });
    };
    await startApiServer();
    keepRunning(running, "kube-controller-manager", () => startControllerManager(context, kubeconfigPath));
    return {
      ...credentials,
      kubeconfigPath,
      ...(context.auditLogPath === undefined ? {} : { auditLogPath: context.auditLogPath }),
      failed: running.failure.promise,
      startApiServer,
      stopApiServer: () => stopComponent(running, "kube-apiserver"),
      stop: () => stopAll(running),
    };
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

type ComponentName = "etcd" | "kube-apiserver" | "kube-controller-manager";

interface Running {
  readonly components: Map<ComponentName, Child>;
  /** Those that we end on purpose. */
  readonly stopping: Set<ComponentName>;
  readonly failure: PromiseWithResolvers<string>;
  readonly onRestart: ((line: string) => void) | undefined;
}

function onEnd({ onRestart }: ControlPlaneOptions): Pick<Running, "failure" | "onRestart"> {
  return { failure: Promise.withResolvers<string>(), onRestart };
}

function keepRunning(running: Running, name: ComponentName, start: () => Child): void {
  running.stopping.delete(name);
  const child = start();
  running.components.set(name, child);
  child.ended.then(async (status) => {
    if (running.stopping.has(name)) return;
    const line = describeEnd(child, status);
    // It gives up by design when the API server goes while it starts; a kubelet would start it again.
    const givesUpByDesign = name === "kube-controller-manager";
    if (!givesUpByDesign) running.failure.resolve(line);
    if (!givesUpByDesign && running.onRestart === undefined) return;
    running.onRestart?.(`${line}; starting it again`);
    await delay(RESTART_DELAY_MS);
    if (!running.stopping.has(name)) keepRunning(running, name, start);
  });
}

async function stopComponent(running: Running, name: ComponentName): Promise<void> {
  running.stopping.add(name);
  await running.components.get(name)?.stop();
}

/** The one that depends on the others first. */
async function stopAll(running: Running): Promise<void> {
  const names = ["kube-controller-manager", "kube-apiserver", "etcd"] as const;
  for (const name of names) running.stopping.add(name);
  for (const name of names) await stopComponent(running, name);
}

interface Component {
  readonly name: ComponentName;
  readonly command: string;
  readonly args: readonly string[];
  readonly stopDeadlineMs: number;
}

function startComponent(directory: string, component: Component): Child {
  return startChild({
    ...component,
    recordDirectory: directory,
    logPath: join(directory, `${component.name}.log`),
    workingDirectory: directory,
    stopSignal: "SIGTERM",
  });
}

function startEtcd({ directory, binaries, ports }: ControlPlaneOptions): Child {
  const client = `http://${LOOPBACK}:${ports.etcd}`;
  const peer = `http://${LOOPBACK}:${ports.etcdPeer}`;
  return startComponent(directory, {
    name: "etcd",
    command: binaries.etcd,
    stopDeadlineMs: 3_000,
    args: [
      ...["--data-dir", join(directory, "etcd"), "--unsafe-no-fsync", "--log-level", "warn"],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `default=${peer}`],
      // A single member need not wait a second for others before it leads.
      ...["--heartbeat-interval", "20", "--election-timeout", "200"],
    ],
  });
}

function startApiServerProcess(context: Context): Child {
  const { directory, binaries, ports, files } = context;
  const address = context.bindAddress ?? LOOPBACK;
  const audit = context.auditLogPath === undefined ? [] : [
    ...["--audit-policy-file", join(directory, "audit-policy.yaml"), "--audit-log-path", context.auditLogPath],
    // Megabytes; whoever reads the log reads one file.
    ...["--audit-log-maxsize", "2000"],
  ];
  return startComponent(directory, {
    name: "kube-apiserver",
    command: binaries.kubeApiserver,
    stopDeadlineMs: 3_000,
    args: [
      ...["--etcd-servers", `http://${LOOPBACK}:${ports.etcd}`],
      ...["--secure-port", String(ports.apiServer), "--bind-address", address],
      // Nobody reaches us there: without it the API server wants a default route, which a laptop offline has not.
      ...["--advertise-address", address === LOOPBACK ? "192.0.2.1" : address, "--endpoint-reconciler-type", "none"],
      ...["--tls-cert-file", files.serverCertificate, "--tls-private-key-file", files.serverKey],
      ...["--client-ca-file", files.authority],
      ...["--service-account-key-file", files.serviceAccountPublicKey],
      ...["--service-account-signing-key-file", files.serviceAccountKey],
      ...["--service-account-issuer", "https://kubernetes.default.svc"],
      ...["--service-cluster-ip-range", "10.0.0.0/24", "--authorization-mode", "RBAC", "--allow-privileged"],
      // Webhooks through a Service go to its endpoints, since there is no kube-proxy.
      "--enable-aggregator-routing=true",
      ...audit,
      ...(context.extraApiServerFlags ?? []),
    ],
  });
}

function startControllerManager({ directory, binaries, files }: Context, kubeconfigPath: string): Child {
  return startComponent(directory, {
    name: "kube-controller-manager",
    command: binaries.kubeControllerManager,
    stopDeadlineMs: 2_000,
    args: [
      ...["--kubeconfig", kubeconfigPath, "--service-account-private-key-file", files.serviceAccountKey],
      ...["--root-ca-file", files.authority, "--use-service-account-credentials=true", "--leader-elect=false"],
      // A machine that is busy tells late that its simulated node is well; the Pods on it would never be Ready again.
      "--node-monitor-grace-period=10m0s",
      // It serves nothing that we need, and its usual port may be taken.
      "--secure-port=0",
    ],
  });
}

function prepareAudit(directory: string): { readonly auditLogPath: string } {
  const auditLogPath = join(directory, "audit.log");
  writeFileAtomically(join(directory, "audit-policy.yaml"), AUDIT_POLICY, { mode: 0o600 });
  removeIfPresent(auditLogPath);
  return { auditLogPath };
}

interface ReadyOptions {
  readonly credentials: {
    readonly server: string;
    readonly certificateAuthority: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
  };
  readonly running: Running;
  readonly signal: AbortSignal;
}

async function waitUntilReady({ credentials, running, signal }: ReadyOptions): Promise<void> {
  const ended = endOfAny([running.components.get("etcd"), running.components.get("kube-apiserver")]);
  const client = Deno.createHttpClient({
    caCerts: [credentials.certificateAuthority],
    cert: credentials.clientCertificate,
    key: credentials.clientKey,
  });
  const deadline = performance.now() + READY_DEADLINE_MS;
  try {
    while (!await isReady(`${credentials.server}/readyz`, client, signal)) {
      const failure = await Promise.race([ended, delay(POLL_MS, { signal })]);
      if (typeof failure === "string") throw new LocalError(`Cannot start the control plane: ${failure}`);
      if (performance.now() > deadline) {
        const log = running.components.get("kube-apiserver")?.logPath ?? "";
        throw new LocalError(
          `Cannot start the control plane: kube-apiserver was not ready after ${READY_DEADLINE_MS / 1_000} s: ${
            lastLogLine(log)
          } (log: ${log})`,
        );
      }
    }
  } finally {
    client.close();
  }
}

function endOfAny(children: readonly (Child | undefined)[]): Promise<string> {
  const alive = children.filter((child) => child !== undefined);
  return Promise.race(alive.map((child) => child.ended.then((status) => describeEnd(child, status))));
}

async function isReady(url: string, client: Deno.HttpClient, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  try {
    const response = await fetch(url, { client, signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
