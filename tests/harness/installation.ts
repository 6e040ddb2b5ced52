import { fromFileUrl } from "@std/path";
import { parseAll } from "@std/yaml";
import { resourceRequestsOf } from "./audit_log.ts";
import { roleStatements } from "./database_role.ts";
import { Kubectl } from "./kubectl.ts";
import { type PolicyRule, unusedGrants } from "./rbac_usage.ts";
import { type OwnTestbed, startTestbed } from "./testbed.ts";
import { connect, type Sql } from "./sql.ts";

const MANIFESTS = fromFileUrl(new URL("../../manifests", import.meta.url));

/** A cluster and a database of their own, on which manifests are installed: cluster-wide things would disturb the tests of others. */
export interface Installation {
  readonly testbed: OwnTestbed;
  /** As an administrator, in the namespace of the operator. */
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** As the superuser, in the operator's database. */
  readonly sql: Sql;
  readonly superuserUrl: string;
  /** As the operator's role. */
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** The folder of an overlay. */
export function overlay(name: string): string {
  return `${MANIFESTS}/${name}`;
}

/** The objects of a folder as kubectl builds them. */
export async function build(kubectl: Kubectl, folder: string): Promise<readonly Manifest[]> {
  return parseAll(await kubectl.ok(["kustomize", folder])) as Manifest[];
}

/** As much of an object as tests of manifests look at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly PolicyRule[];
  // deno-lint-ignore no-explicit-any -- of any kind
  readonly spec?: any;
}

/** Starts them, with a database `installed` and a role that the file of docs/ makes. */
export async function startInstallation(namespace: string): Promise<Installation> {
  const testbed = await startTestbed();
  const admin = connect(testbed.superuserUrl);
  await admin.unsafe("CREATE DATABASE installed");
  await admin.end({ timeout: 1 });
  const url = new URL(testbed.superuserUrl);
  url.pathname = "/installed";
  const superuserUrl = url.href;
  const sql = connect(superuserUrl);
  const login = { role: "installed_operator", password: "installed" };
  await sql.unsafe(roleStatements("database_role.sql", { ...login, database: "installed" }));
  [url.username, url.password] = [login.role, login.password];
  return {
    testbed,
    kubectl: new Kubectl(testbed, namespace),
    namespace,
    sql,
    superuserUrl,
    databaseUrl: url.href,
    async stop() {
      await sql.end({ timeout: 1 });
      await testbed.stop();
    },
  };
}

/** Makes the Secret that the Deployment refers to. */
export async function giveDatabase({ kubectl, databaseUrl }: Installation): Promise<void> {
  await kubectl.ok([
    "create",
    "secret",
    "generic",
    "tablewright-database",
    `--from-literal=DATABASE_URL=${databaseUrl}`,
  ]);
}

/** What the roles of the operator grant and it never asked for in this installation. */
export async function neverUsed(installation: Installation, folder: string): Promise<readonly string[]> {
  const { kubectl, namespace, testbed } = installation;
  const manifests = await build(kubectl, folder);
  const bound = manifests.filter(({ kind, metadata }) => /^(Cluster)?RoleBinding$/.test(kind) && metadata.name !== "")
    .map(({ metadata }) => metadata.name);
  const rules = manifests.filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && bound.includes(metadata.name))
    .flatMap((each) => each.rules ?? []);
  return unusedGrants(rules, await resourceRequestsOf(testbed, { namespace, name: "tablewright" }));
}
