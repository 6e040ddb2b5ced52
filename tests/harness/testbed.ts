import { ensureBinaries } from "../../local/binaries.ts";
import { type ControlPlane, startControlPlane } from "../../local/control_plane.ts";
import { findFreePort } from "../../local/ports.ts";
import type { PostgresBinaries } from "../../local/postgres_binaries.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { cacheRoot } from "../../local/state.ts";
import { eventually } from "./wait.ts";

/** A real control plane and a real PostgreSQL, as every integration test sees them. */
export interface Testbed {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly kubeconfigPath: string;
  /** Lines of JSON: what was asked of the API server for our kinds. */
  readonly auditLogPath: string;
  readonly kubectlPath: string;
  readonly superuserUrl: string;
}

/** Names the file that describes a testbed which somebody else started, so that many test files share it. */
export const TESTBED_VARIABLE = "TABLEWRIGHT_TESTBED";

/** A testbed that ends with its owner. */
export interface OwnTestbed extends Testbed {
  stop(): Promise<void>;
}

/** A testbed whose servers may crash: whoever shares it would crash with them. */
export interface CrashableTestbed extends OwnTestbed {
  /** Ends a server without a chance to put anything in order, and resolves when it is back. */
  crash(server: "etcd" | "kube-apiserver" | "postgres"): Promise<void>;
}

/** The shared testbed if there is one, else one of our own; `stop()` ends only the latter. */
export async function openTestbed(): Promise<OwnTestbed> {
  const shared = Deno.env.get(TESTBED_VARIABLE);
  if (shared === undefined || shared === "") return await startTestbed();
  return { ...JSON.parse(await Deno.readTextFile(shared)) as Testbed, stop: () => Promise.resolve() };
}

/** Statements can be counted; only those of a role for which somebody sets `pg_stat_statements.track`. */
export const COUNTING_SETTINGS: Readonly<Record<string, string>> = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "none",
};

/**
 * Starts everything in a temporary folder; data is not kept.
 *
 * @param options Programs of another PostgreSQL than 18.
 */
export async function startTestbed(
  options: { readonly binaries?: PostgresBinaries } = {},
): Promise<CrashableTestbed> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-test-" });
  // PostgreSQL runs as another user than root and must be able to enter.
  await Deno.chmod(directory, 0o755);
  const never = new AbortController().signal;
  const report = (line: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env: Deno.env.toObject(), report }, never);
  const ports = { etcd: findFreePort(), etcdPeer: findFreePort(), apiServer: findFreePort() };
  const postgresOptions = {
    directory: `${directory}/postgres`,
    port: findFreePort(),
    settings: { ...THROWAWAY_SETTINGS, ...COUNTING_SETTINGS },
    ...options,
  };
  const controlPlaneDirectory = `${directory}/control-plane`;
  const [controlPlane, firstPostgres] = await Promise.all([
    startControlPlane({ directory: controlPlaneDirectory, binaries, ports, audit: true, onRestart() {} }, never),
    startPostgres(postgresOptions, never),
  ]);
  let postgres = firstPostgres;
  const { server, certificateAuthority, clientCertificate, clientKey, kubeconfigPath, auditLogPath = "" } =
    controlPlane;
  return {
    server,
    certificateAuthority,
    clientCertificate,
    clientKey,
    kubeconfigPath,
    auditLogPath,
    kubectlPath: binaries.kubectl,
    superuserUrl: postgres.superuserUrl,
    async crash(name) {
      if (name !== "postgres") return await crashComponent(controlPlane, `${controlPlaneDirectory}/${name}.child.json`);
      await postgres.stop("immediate");
      postgres = await startPostgres(postgresOptions, never);
    },
    async stop() {
      await Promise.all([controlPlane.stop(), postgres.stop("immediate")]);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** The control plane starts again what ends by itself; its record of a process says which one it is. */
async function crashComponent({ server, ...credentials }: ControlPlane, recordPath: string): Promise<void> {
  const { pid } = await readRecord(recordPath) ?? {};
  if (pid === undefined) throw new Error(`no process is recorded in ${recordPath}`);
  Deno.kill(pid, "SIGKILL");
  await eventually("it was started again", async () => {
    const record = await readRecord(recordPath);
    return record !== undefined && record.pid !== pid;
  });
  using client = Deno.createHttpClient({
    caCerts: [credentials.certificateAuthority],
    cert: credentials.clientCertificate,
    key: credentials.clientKey,
  });
  await eventually("the API server is ready", async () => {
    try {
      const response = await fetch(`${server}/readyz`, { client, signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  });
}

async function readRecord(path: string): Promise<{ readonly pid: number } | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as { readonly pid: number };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
