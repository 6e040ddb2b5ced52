import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { requestsOf } from "../harness/audit_log.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { columnsOf, condition, startTestOperator } from "../harness/operator.ts";
import { OperatorProcess } from "../harness/operator_process.ts";
import { eventually } from "../harness/wait.ts";

/** An operator in a Pod whose administrator granted a Role in one namespace, and nothing of the cluster. */
const operator = await startTestOperator("limited");
const { kubectl, namespace, testbed } = operator;
await operator.stopOperator();

const rules = [
  { apiGroups: ["kopf.demo"], resources: ["databasetables"], verbs: ["get", "list", "watch", "patch"] },
  { apiGroups: ["kopf.demo"], resources: ["databasetables/status"], verbs: ["get", "patch"] },
  { apiGroups: ["zalando.org"], resources: ["databases"], verbs: ["get", "list", "watch", "patch"] },
  { apiGroups: ["zalando.org"], resources: ["databases/status"], verbs: ["get", "patch"] },
  { apiGroups: ["nuvolaris.org"], resources: ["samples"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["nuvolaris.org"], resources: ["samples/status"], verbs: ["get", "patch"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "watch", "create", "patch"] },
  {
    apiGroups: [""],
    resources: ["pods", "services", "persistentvolumeclaims"],
    verbs: ["get", "list", "watch", "create", "patch", "delete"],
  },
  { apiGroups: [""], resources: ["secrets"], verbs: ["get", "create", "patch"] },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["get", "create", "patch", "delete"] },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
  { apiGroups: [""], resources: ["namespaces"], resourceNames: [namespace], verbs: ["get"] },
];
const leaseRule = {
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  resourceNames: [namespace],
  verbs: ["get", "watch", "create", "patch"],
};

/** A Role and a service account with it; answers a kubeconfig with its token. */
async function grant(name: string, granted: readonly unknown[]): Promise<string> {
  const metadata = { name, namespace };
  const items = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules: granted },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      subjects: [{ kind: "ServiceAccount", ...metadata }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    },
  ];
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const token = (await kubectl.ok(["create", "token", name])).trim();
  const path = await Deno.makeTempFile({ prefix: "tablewright-limited-" });
  await Deno.writeTextFile(path, JSON.stringify(kubeconfigOf(token)));
  return path;
}

function kubeconfigOf(token: string): unknown {
  const { server, certificateAuthority } = testbed;
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": btoa(certificateAuthority) } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: { token } }],
  };
}

function startLimited(
  name: string,
  kubeconfigPath: string,
  { watched = namespace, workers = 10 }: { readonly watched?: string; readonly workers?: number } = {},
): OperatorProcess {
  const flags = [
    "--instance",
    namespace,
    "--webhooks",
    "off",
    "--no-crds",
    "--max-concurrent-reconciles",
    `${workers}`,
  ];
  const env = { WATCH_NAMESPACE: watched, POD_NAMESPACE: namespace };
  return new OperatorProcess({ name, kubeconfigPath, databaseUrl: operator.databaseUrl, flags, env, inPod: true });
}

function table(columns: readonly unknown[], metadata = { name: "limited", namespace }): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata,
    spec: { tableName: metadata.name, columns, primaryKey: "ID" },
  };
}

Deno.test("with a Role alone the operator leads, makes, changes and drops a table, and never asks for more", async () => {
  const kubeconfig = await grant("limited", [...rules, leaseRule]);
  const limited = startLimited("limited-1", kubeconfig);
  try {
    await limited.ready();
    await limited.says("this process leads");
    await kubectl.apply(table([{ ID: "integer" }]));
    await condition(operator, "limited", { type: "Ready", status: "True" });
    await kubectl.apply(table([{ ID: "integer" }, { NOTE: "text" }]));
    await condition(operator, "limited", { type: "Ready", status: "True" });
    await kubectl.ok(["delete", "databasetable", "limited", "--timeout=60s"]);
    const server = { apiVersion: "zalando.org/v1", kind: "Database", metadata: { name: "limited", namespace } };
    await kubectl.apply({ ...server, spec: { type: "postgres", networkPolicy: { enabled: true } } });
    await eventually("the Pod is made", async () => await kubectl.get("pod", "limited") !== undefined);
    await eventually(
      "the status is written",
      async () => (await kubectl.get("databases.zalando.org", "limited"))?.["status"] !== undefined,
    );
    await kubectl.ok(["delete", "databases.zalando.org", "limited"]);
    assertEquals(await columnsOf(operator, "limited"), []);
    limited.send("SIGTERM");
    assertEquals((await limited.ended).code, 0);
  } finally {
    await limited.close();
    await Deno.remove(kubeconfig);
  }
  const { allowed, forbidden } = await requestsOf(testbed, { namespace, name: "limited" });
  assertEquals([allowed.length > 10, forbidden], [true, []]);
  assertEquals(limited.log.filter(({ level }) => level === "error"), []);
});

Deno.test("a namespace without a Role stops no other one, not even after a restart, and is served once it has one", async () => {
  const other = `${namespace}-other`;
  const kubeconfig = await grant("partial", [...rules, leaseRule]);
  await kubectl.ok(["create", "namespace", other]);
  const elsewhere = new Kubectl(testbed, other);
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "partial", namespace: other },
    rules,
  };
  await elsewhere.apply(role);
  const account = ["--serviceaccount", `${namespace}:partial`];
  const bind = () => elsewhere.ok(["create", "rolebinding", "partial", "--role=partial", ...account]);
  const both = { watched: `${namespace},${other}`, workers: 2 };
  const columns = [{ ID: "integer" }, { NOTE: "text" }];
  await bind();
  const first = startLimited("partial-1", kubeconfig, both);
  try {
    await first.ready();
    // More than there are workers.
    for (const name of ["one", "two", "three"]) await kubectl.apply(table(columns, { name, namespace }));
    await elsewhere.apply(table(columns, { name: "elsewhere", namespace: other }));
    for (const name of ["one", "two", "three"]) await condition(operator, name, { type: "Ready", status: "True" });
    await elsewhere.ok(["wait", "databasetable/elsewhere", "--for=condition=Ready", "--timeout=60s"]);
  } finally {
    await first.close();
  }
  await elsewhere.ok(["delete", "rolebinding", "partial"]);
  await operator.sql("ALTER TABLE public.elsewhere DROP COLUMN note");
  const second = startLimited("partial-2", kubeconfig, both);
  try {
    await second.ready();
    await second.says("this process leads");
    const started = performance.now();
    await kubectl.apply(table(columns, { name: "fresh", namespace }));
    await condition(operator, "fresh", { type: "Ready", status: "True" });
    // A reconcile that waited for the other namespace would hold its worker for two minutes.
    assert(performance.now() - started < 60_000);
    const { text = "" } = await second.ask("/readyz?verbose", 5_000) ?? {};
    assertStringIncludes(
      text,
      `[!]access failed, which is informational: may not be listed: databasetable in ${other}, `,
    );
    const refusals = () =>
      second.log.filter(({ namespace, message }) => namespace === other && /cannot list/.test(message));
    const plurals = refusals().map(({ plural }) => plural);
    assertEquals(plurals.length, new Set(plurals).size, "said once of each kind");
    await bind();
    await eventually(
      "what was changed meanwhile is put right",
      async () => (await columnsOf(operator, "elsewhere")).includes("note text"),
    );
    await eventually(
      "nothing is refused any more",
      async () => (await second.ask("/readyz?verbose", 5_000))?.text.includes("[+]access ok"),
    );
    assertEquals(refusals().length, plurals.length);
    await elsewhere.ok(["delete", "databasetable", "--all", "--timeout=60s"]);
  } finally {
    await second.close();
    await Deno.remove(kubeconfig);
  }
  assertEquals([...first.log, ...second.log].filter(({ level }) => level === "error"), []);
});

Deno.test("without the rights on its Lease the operator ends with one line that says which, and asks for none", async () => {
  const kubeconfig = await grant("leaseless", rules);
  const leaseless = startLimited("leaseless-1", kubeconfig);
  assertEquals((await leaseless.ended).code, 1);
  assertEquals(leaseless.words.length, 1);
  assertStringIncludes(
    leaseless.words[0] ?? "",
    `may not get, watch, create, patch the Lease ${namespace}/${namespace}`,
  );
  const { allowed, forbidden } = await requestsOf(testbed, { namespace, name: "leaseless" });
  assertEquals([allowed.length > 0, forbidden], [true, []]);
  await Deno.remove(kubeconfig);
});

Deno.test("without a namespace that it may read the operator cannot name the cluster, and says so", async () => {
  const kubeconfig = await grant("nameless", [leaseRule]);
  const nameless = startLimited("nameless-1", kubeconfig);
  assertEquals((await nameless.ended).code, 1);
  assertStringIncludes(nameless.words.join("\n"), "Cannot tell this cluster from others");
  await eventually("its requests are logged", async () => {
    const { allowed, forbidden } = await requestsOf(testbed, { namespace, name: "nameless" });
    return allowed.length > 0 && forbidden.length === 0;
  });
  await Deno.remove(kubeconfig);
});

Deno.test("the operator of this file stops in order", async () => {
  await operator.close();
});
