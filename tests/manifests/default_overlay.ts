// Runs in a network namespace and on a cluster of its own, in which the API server reaches the operator through its Service: its _test.ts beside it starts it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { requestsOf } from "../harness/audit_log.ts";
import { startDeployed } from "../harness/deployed_operator.ts";
import { build, neverUsed, overlay, startInstallation } from "../harness/installation.ts";
import { roleStatements } from "../harness/database_role.ts";
import { DocumentedSection } from "../harness/documented_commands.ts";
import { DocumentShell } from "../harness/document_shell.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { operatorPods, tellRunning } from "../harness/operator_pods.ts";
import type { OperatorProcess } from "../harness/operator_process.ts";
import { liveSample } from "../harness/sample_life.ts";
import { pgDumpVersion } from "../harness/pg_dump.ts";
import { liveDatabase } from "../harness/database_life.ts";
import { eventually } from "../harness/wait.ts";

const NAMESPACE = "tablewright-system";
const installation = await startInstallation(NAMESPACE);
const { kubectl: system, testbed, sql } = installation;
/** Of a user, who has nothing to do with the operator. */
const shop = new Kubectl(testbed, "shop");
const folder = overlay("default");
const install = new DocumentedSection("docs/operations.md", "Install");
const LOGIN = { role: "tablewright", password: "of-the-documentation", database: "installed" };
const shell = await DocumentShell.open({
  folder: fromFileUrl(new URL("../..", import.meta.url)),
  kubectlPath: testbed.kubectlPath,
  env: {
    KUBECONFIG: testbed.kubeconfigPath,
    KUBECACHEDIR: `${testbed.kubeconfigPath}.cache`,
    ADMIN_URL: installation.superuserUrl,
    PASSWORD: LOGIN.password,
  },
});
let leader: OperatorProcess;
let standby: OperatorProcess;

/** What nothing below needs, and why it is granted. */
const RARELY_USED: Readonly<Record<string, string>> = {
  "patch databases.zalando.org": "message and node port as annotations, under a definition that prunes the status",
  "patch samples.nuvolaris.org":
    "kopf's finalizer and annotations are taken off; the status where it is no subresource",
  "patch events.events.k8s.io": "the same event again within 6 minutes",
};

/** A webhook configuration. */
interface Registered {
  readonly metadata: { readonly ownerReferences: readonly { readonly kind: string; readonly name: string }[] };
  readonly webhooks: readonly {
    readonly failurePolicy: string;
    readonly clientConfig: { readonly service: Readonly<Record<string, unknown>> };
  }[];
}

async function columns(): Promise<readonly unknown[]> {
  const rows = await sql.unsafe(
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.orders') AND attnum > 0 AND NOT attisdropped",
  );
  return rows.map((row) => row["attname"]);
}

function orders(...columns: readonly unknown[]): unknown {
  const spec = { tableName: "orders", columns: [{ ID: "integer" }, ...columns], primaryKey: "ID" };
  return { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name: "orders", namespace: "shop" }, spec };
}

Deno.test("kubectl apply -k installs everything at once, and says nothing of Pod Security", async () => {
  // What needs a kind of the same command waits a moment for it.
  const { stderr } = await shell.type(install.take("kubectl apply -k manifests/default"));
  assertEquals(stderr, "");
  await system.ok(["apply", "-k", folder]);
  assertEquals(await system.ok(["diff", "-k", folder]), "");
  await eventually(
    "the Pods pass the restricted standard and are made",
    async () => (await operatorPods(system)).length === 2,
  );
});

Deno.test("without the Secret of a database the operator works, and says that each table must name its own", async () => {
  const [pod] = await operatorPods(system);
  const process = await startDeployed({ ...installation, kubectl: system, podName: pod?.metadata.name ?? "" });
  await process.says("no DATABASE_URL");
  await process.close();
});

Deno.test("with the token of its ServiceAccount and the Secret it leads, and registers webhooks through its Service", async () => {
  const making = install.take("psql");
  // What `deno task run` makes on this server, under the same name.
  for (const statement of ["DROP DATABASE tablewright", "DROP ROLE tablewright"]) await sql.unsafe(statement);
  if (await pgDumpVersion() === undefined) await sql.unsafe(roleStatements("database_role.sql", LOGIN));
  else await shell.type(making);
  const { host } = new URL(installation.superuserUrl);
  const words = { "HOST:5432": host, DATABASE: LOGIN.database };
  await shell.type(install.take("kubectl -n tablewright-system create secret"), { words });
  const [first, second] = await operatorPods(system);
  if (first === undefined || second === undefined) throw new Error("there are two Pods");
  leader = await startDeployed({ ...installation, kubectl: system, podName: first.metadata.name });
  await leader.says("this process leads");
  await tellRunning(system, first);
  await leader.ready();
  const ports = { http: 8081, webhook: 8444 };
  const flags = ["--http-port", String(ports.http), "--webhook-port", String(ports.webhook)];
  standby = await startDeployed({ ...installation, kubectl: system, podName: second.metadata.name, flags, ports });
  await standby.ready();
  const { metadata, webhooks } = await eventually("it has proven that the Service leads to it", async () => {
    const configuration = await system.get("validatingwebhookconfiguration", "tablewright") as Registered | undefined;
    return configuration?.webhooks[0]?.failurePolicy === "Fail" && configuration;
  });
  assertEquals(webhooks[0]?.clientConfig.service, {
    ...{ name: "tablewright-webhook", namespace: NAMESPACE, port: 443 },
    path: "/validate",
  });
  assertEquals(metadata.ownerReferences.map(({ kind, name }) => `${kind}/${name}`), [
    "ClusterRole/tablewright",
  ]);
});

Deno.test("the administrator of a namespace makes, changes and deletes a table, and a bad change is refused", async () => {
  await system.ok(["create", "namespace", "shop"]);
  await system.ok(["-n", "shop", "create", "rolebinding", "ann", "--clusterrole=edit", "--user=ann"]);
  const ann = ["--as=ann"];
  const made = await shop.apply(orders(), ...ann);
  assertEquals(made.code, 0, made.stderr);
  assertStringIncludes(made.stderr, "CREATE TABLE");
  await shop.ok(["wait", "--for=condition=Ready", "databasetable/orders", "--timeout=60s", ...ann]);
  assertEquals((await shop.apply(orders({ NOTE: "text" }), ...ann)).code, 0);
  await eventually("the column is there", async () => (await columns()).includes("note"));
  const refused = await shop.apply(orders(), ...ann);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, 'spec.columns: removing column "note"');
  const adopting = await shop.apply({ ...orders({ NOTE: "text" }) as object, ...{ spec: adoptingSpec() } }, ...ann);
  assertStringIncludes(adopting.stderr, "needs the RBAC verb adopt");
  await shop.ok(["delete", "databasetable", "orders", "--timeout=60s", ...ann]);
  assertEquals(await columns(), []);
});

function adoptingSpec(): unknown {
  const { spec } = orders({ NOTE: "text" }) as { readonly spec: object };
  return { ...spec, adoptionPolicy: "IfIdentical" };
}

Deno.test("a Database becomes a Pod that passes the restricted standard, is changed and goes", async () => {
  await system.ok(["label", "namespace", "shop", "pod-security.kubernetes.io/enforce=restricted"]);
  await liveDatabase(shop, "shop");
});

Deno.test("a Sample becomes a Deployment, is scaled and goes", async () => {
  await liveSample(shop, "shop");
});

Deno.test("nothing was refused by RBAC, and no rule is without use", async () => {
  assertEquals((await shop.apply(orders({ KEPT: "text" }))).code, 0);
  await shop.ok(["wait", "--for=condition=Ready", "databasetable/orders", "--timeout=60s"]);
  leader.send("SIGTERM");
  assertEquals((await leader.ended).code, 0);
  await standby.says("this process leads");
  await standby.close();
  const { allowed, forbidden } = await requestsOf(testbed, { namespace: NAMESPACE, name: "tablewright" });
  assertEquals([allowed.length > 100, forbidden], [true, []]);
  const lists = allowed.filter((line) =>
    /^(list|watch) .*\/(pods|services|persistentvolumeclaims|deployments|secrets)\?/.test(line)
  );
  const unlabelled = lists.filter((line) =>
    !line.includes("labelSelector=app.kubernetes.io%2Fmanaged-by%3Dtablewright")
  );
  assertEquals([lists.length > 5, unlabelled], [true, []]);
  const unused = await neverUsed(installation, folder);
  assertEquals(unused.filter((each) => RARELY_USED[each] === undefined), []);
  const errors = [...leader.log, ...standby.log].filter(({ level }) => level === "error");
  assertEquals(errors, []);
});

Deno.test("uninstalling as the documentation says removes webhooks and kinds, and keeps the tables", async () => {
  const words = { REGISTRY: "registry.example" };
  await shell.type(install.take("kubectl -n tablewright-system set image"), { words });
  await shell.type(install.take("kubectl -n tablewright-system rollout restart"));
  install.end();
  const uninstall = new DocumentedSection("docs/operations.md", "Uninstall");
  await shell.type(uninstall.take("kubectl delete clusterrole"));
  await eventually(
    "the garbage collector has seen it",
    async () =>
      await system.get("validatingwebhookconfiguration", "tablewright") === undefined &&
      await system.get("mutatingwebhookconfiguration", "tablewright") === undefined,
  );
  await shell.type(uninstall.take("kubectl -n tablewright-system delete deployment"));
  // No kubelet ends the Pod that this test played.
  await system.ok(["delete", "pods", "--all", "--force", "--grace-period=0"]);
  await shell.type(uninstall.take("kubectl patch"), { words: { NAME: "orders --namespace shop" } });
  await shell.type(uninstall.take("kubectl delete -k"));
  uninstall.end();
  await eventually(
    "the kinds are gone",
    async () =>
      await system.get("crd", "databasetables.kopf.demo") === undefined &&
      await system.get("crd", "databases.zalando.org") === undefined,
  );
  assertEquals(await columns(), ["id", "kept"]);
});

Deno.test("every object is in the namespace of the operator, or has none", async () => {
  const elsewhere = (await build(system, folder)).filter(({ metadata }) =>
    metadata.namespace !== undefined && metadata.namespace !== NAMESPACE
  );
  assertEquals(elsewhere, []);
  await shell[Symbol.asyncDispose]();
  await installation.stop();
});
