import { ensureBinaries } from "../../local/binaries.ts";
import { startControlPlane } from "../../local/control_plane.ts";
import { findFreePort } from "../../local/ports.ts";
import type { PostgresBinaries } from "../../local/postgres_binaries.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { cacheRoot } from "../../local/state.ts";

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
export async function startTestbed(options: { readonly binaries?: PostgresBinaries } = {}): Promise<OwnTestbed> {
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
  const [controlPlane, postgres] = await Promise.all([
    startControlPlane({ directory: `${directory}/control-plane`, binaries, ports, audit: true }, never),
    startPostgres(postgresOptions, never),
  ]);
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
    async stop() {
      await Promise.all([controlPlane.stop(), postgres.stop("immediate")]);
      await Deno.remove(directory, { recursive: true });
    },
  };
}
