import { join } from "@std/path";
import { type ClusterConfig, KubeClient } from "../../kube/client/client.ts";
import { customResourceDefinitions } from "./resources.ts";
import { ensureBinaries } from "../../local/binaries.ts";
import { killAllChildren } from "../../local/children.ts";
import { startControlPlane } from "../../local/control_plane.ts";
import { findFreePort } from "../../local/ports.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { cacheRoot } from "../../local/state.ts";
import { COUNTING_SETTINGS } from "../harness/testbed.ts";
import { progress } from "./figure.ts";
import { namespaces } from "./resources.ts";
import { connect, type Sql } from "./sql.ts";
import { FLOOR_RESOURCE, floorDefinition } from "./tables.ts";
import { until } from "./wait.ts";

/** Real servers, idle but for the benchmark; floor and operator use the same ones. */
export interface Stage {
  /** For logs and files; removed at the end. */
  readonly directory: string;
  readonly cluster: ClusterConfig;
  readonly kubeconfigPath: string;
  readonly client: KubeClient;
  readonly namespace: string;
  /** The operator's. */
  readonly role: string;
  /** As the operator's role. */
  readonly databaseUrl: string;
  /** The same database as a superuser, ten connections. */
  readonly sql: Sql;
  close(): Promise<void>;
}

const NAMESPACE = "bench";
const ROLE = "bench_operator";
const CONNECTIONS = 10;

/** Starts control plane and PostgreSQL in a temporary folder. No audit log: it would slow down only what it audits. */
export async function openStage(): Promise<Stage> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-bench-" });
  // PostgreSQL runs as another user than root and must be able to enter.
  await Deno.chmod(directory, 0o755);
  endWithSignal(directory);
  const never = new AbortController().signal;
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env: Deno.env.toObject(), report: progress }, never);
  const ports = { etcd: findFreePort(), etcdPeer: findFreePort(), apiServer: findFreePort() };
  const [plane, postgres] = await Promise.all([
    startControlPlane({ directory: join(directory, "control-plane"), binaries, ports }, never),
    startPostgres(
      {
        directory: join(directory, "postgres"),
        port: findFreePort(),
        settings: { ...THROWAWAY_SETTINGS, ...COUNTING_SETTINGS },
      },
      never,
    ),
  ]);
  const { server, certificateAuthority, clientCertificate, clientKey, kubeconfigPath } = plane;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey };
  const client = new KubeClient(cluster);
  const databaseUrl = await createDatabase(postgres.superuserUrl);
  const sql = connect(urlOf(postgres.superuserUrl, { database: NAMESPACE }), CONNECTIONS);
  await prepareCluster(client);
  return {
    ...{ directory, cluster, kubeconfigPath, client, namespace: NAMESPACE, role: ROLE, databaseUrl, sql },
    async close() {
      client.close();
      await sql.end({ timeout: 1 });
      await Promise.all([plane.stop(), postgres.stop("immediate")]);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** A benchmark that somebody interrupts leaves no process and no file. */
function endWithSignal(directory: string): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      killAllChildren();
      Deno.removeSync(directory, { recursive: true });
      Deno.exit(130);
    });
  }
}

async function createDatabase(superuserUrl: string): Promise<string> {
  const password = crypto.randomUUID();
  const admin = connect(superuserUrl, 1);
  await admin.unsafe(`CREATE ROLE ${ROLE} LOGIN NOSUPERUSER PASSWORD '${password}'`);
  await admin.unsafe(`CREATE DATABASE ${NAMESPACE}`);
  await admin.unsafe(`GRANT CREATE, CONNECT ON DATABASE ${NAMESPACE} TO ${ROLE}`);
  await admin.end({ timeout: 1 });
  const sql = connect(urlOf(superuserUrl, { database: NAMESPACE }), 1);
  await sql.unsafe(`GRANT USAGE, CREATE ON SCHEMA public TO ${ROLE}`);
  await sql.end({ timeout: 1 });
  return urlOf(superuserUrl, { database: NAMESPACE, role: ROLE, password });
}

function urlOf(base: string, change: { database: string; role?: string; password?: string }): string {
  const url = new URL(base);
  url.pathname = `/${change.database}`;
  if (change.role !== undefined) url.username = change.role;
  if (change.password !== undefined) url.password = change.password;
  return url.href;
}

async function prepareCluster(client: KubeClient): Promise<void> {
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await client.create(customResourceDefinitions, floorDefinition());
  await until("the floor's kind is served", async () => {
    try {
      await client.list(FLOOR_RESOURCE, { namespace: NAMESPACE });
      return true;
    } catch {
      return false;
    }
  });
}
