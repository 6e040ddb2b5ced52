// Runs in a network namespace and on a cluster of its own, in which the API server reaches the operator through its Service: its _test.ts beside it starts it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join, relative } from "@std/path";
import { requestsOf } from "../harness/audit_log.ts";
import { startDeployed } from "../harness/deployed_operator.ts";
import { giveDatabase, neverUsed, overlay, startInstallation } from "../harness/installation.ts";
import type { OperatorProcess } from "../harness/operator_process.ts";
import { liveSample } from "../harness/sample_life.ts";
import { liveDatabase } from "../harness/database_life.ts";
import { eventually } from "../harness/wait.ts";

const NAMESPACE = "team";
const installation = await startInstallation(NAMESPACE);
const { kubectl, testbed, sql } = installation;
/** Administrator of the namespace, and of nothing else. */
const BEN = ["--as=ben"];
let operator: OperatorProcess;

/** What nothing below needs, and why it is granted. */
const RARELY_USED: Readonly<Record<string, string>> = {
  "patch databases.zalando.org": "message and node port as annotations, under a definition that prunes the status",
  "patch samples.nuvolaris.org":
    "kopf's finalizer and annotations are taken off; the status where it is no subresource",
  "patch events.events.k8s.io": "the same event again within 6 minutes",
};

/** The kustomization that a user writes. */
async function writeOwnKustomization(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tablewright-kustomization-" });
  const resources = [relative(await Deno.realPath(folder), overlay("namespaced"))];
  await Deno.writeTextFile(join(folder, "kustomization.yaml"), JSON.stringify({ namespace: NAMESPACE, resources }));
  return folder;
}

const folder = await writeOwnKustomization();

function table(name: string, columns: readonly unknown[], spec: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: NAMESPACE },
    spec: { tableName: name, columns, primaryKey: "ID", ...spec },
  };
}

async function columns(name: string): Promise<readonly unknown[]> {
  const rows = await sql.unsafe(
    `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.${name}') AND attnum > 0 AND NOT attisdropped`,
  );
  return rows.map((row) => row["attname"]);
}

Deno.test("an administrator of the cluster applies the prerequisites once", async () => {
  const { code, stderr } = await kubectl.run(["apply", "-k", overlay("cluster-prerequisites")]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await kubectl.ok(["diff", "-k", overlay("cluster-prerequisites")]), "");
  await kubectl.ok(["create", "namespace", NAMESPACE]);
  await kubectl.ok(["create", "rolebinding", "ben", "--clusterrole=admin", "--user=ben"]);
});

interface Change {
  readonly what: string;
  readonly before: readonly unknown[];
  readonly after: readonly unknown[];
  readonly allow?: readonly string[];
  /** Absent: it is accepted. */
  readonly refusal?: string;
}

const ID = { ID: "integer" };
const CHANGES: readonly Change[] = [
  { what: "a column that is added", before: [ID], after: [ID, { NOTE: "text" }] },
  { what: "a removed column", before: [ID, { NOTE: "text" }], after: [ID], refusal: "put NOTE back" },
  { what: "a removed column that is allowed", before: [ID, { NOTE: "text" }], after: [ID], allow: ["DropColumn"] },
  { what: "a changed type", before: [ID, { N: "text" }], after: [ID, { N: "integer" }], refusal: "the type of N" },
  { what: "an allowed type", before: [ID, { N: "int" }], after: [ID, { N: "bigint" }], allow: ["WidenType"] },
  { what: "the long form of the same", before: [ID, { N: "varchar(5)" }], after: [ID, { N: { type: "VARCHAR (5)" } }] },
  {
    what: "another type in the long form",
    ...{ before: [ID, { N: "text" }], after: [ID, { N: { type: "integer" } }], refusal: "the type of N" },
  },
  { what: "the same name in another case", before: [ID, { NOTE: "text" }], after: [ID, { note: "text" }] },
  { what: "the same name in quotes", before: [ID, { NOTE: "text" }], after: [ID, { '"note"': "text" }] },
  {
    what: "another name in quotes",
    before: [ID, { A: "text" }],
    after: [ID, { '"A"': "text" }],
    refusal: "put A back",
  },
  {
    what: "a renamed column",
    before: [ID, { NOTE: "text" }],
    after: [ID, { REMARK: { type: "text", renamedFrom: "NOTE" } }],
  },
  {
    what: "a column of an odd shape",
    before: [ID, { A: 1 }, { B: [] }],
    after: [ID, { A: 1 }, { B: [] }, { C: "text" }],
  },
  { what: "all columns replaced", before: [ID, { A: "text" }], after: [{ B: "text" }], refusal: "put ID, A back" },
];

for (const [definition, file] of [["ours", "../../crds"], ["the bare one", "../compat/bare-crds.yaml"]] as const) {
  Deno.test(`without any webhook the policy judges columns under ${definition}`, async () => {
    const path = fromFileUrl(new URL(file, import.meta.url));
    await kubectl.ok(["apply", file.endsWith(".yaml") ? "-f" : "-k", path]);
    for (const [index, { what, before, after, allow, refusal }] of CHANGES.entries()) {
      const name = `change${index}`;
      await eventually(`${what} begins`, async () => (await kubectl.apply(table(name, before), ...BEN)).code === 0);
      const spec = allow === undefined ? {} : { changePolicy: { allow } };
      const { code, stderr } = await kubectl.apply(table(name, after, spec), ...BEN);
      assertEquals([what, code, stderr === ""], [what, refusal === undefined ? 0 : 1, refusal === undefined], stderr);
      if (refusal !== undefined) assertStringIncludes(stderr, refusal);
    }
    await kubectl.ok(["delete", "databasetables", "--all"]);
  });
}

Deno.test("the administrator of a namespace installs the operator there, without a right in the cluster", async () => {
  await kubectl.ok(["apply", "-k", overlay("cluster-prerequisites")]);
  await giveDatabase(installation);
  const { code, stderr } = await kubectl.run(["apply", "-k", folder, ...BEN]);
  assertEquals([code, stderr], [0, ""]);
  operator = await startDeployed({ ...installation, podName: "tablewright-1" });
  await operator.ready();
});

Deno.test("with its Role it makes, changes and drops a table, and makes, changes and removes a Database", async () => {
  assertEquals((await kubectl.apply(table("parts", [ID]), ...BEN)).code, 0);
  await kubectl.ok(["wait", "--for=condition=Ready", "databasetable/parts", "--timeout=60s"]);
  assertEquals((await kubectl.apply(table("parts", [ID, { NOTE: "text" }]), ...BEN)).code, 0);
  await eventually("the column is there", async () => (await columns("parts")).includes("note"));
  await kubectl.ok(["delete", "databasetable", "parts", "--timeout=60s", ...BEN]);
  assertEquals(await columns("parts"), []);
  await liveDatabase(kubectl, NAMESPACE);
});

Deno.test("a Sample becomes a Deployment, is scaled and goes", async () => {
  await liveSample(kubectl, NAMESPACE);
});

Deno.test("nothing was refused by RBAC, and no rule is without use", async () => {
  const standby = await startDeployed({
    ...{ ...installation, podName: "tablewright-2", ports: { http: 8081, webhook: 8444 } },
    flags: ["--http-port", "8081", "--webhook-port", "8444"],
  });
  await standby.ready();
  await standby.close();
  await operator.close();
  const { allowed, forbidden } = await requestsOf(testbed, { namespace: NAMESPACE, name: "tablewright" });
  assertEquals([allowed.length > 50, forbidden], [true, []]);
  const unused = await neverUsed(installation, folder);
  assertEquals(unused.filter((each) => RARELY_USED[each] === undefined), []);
  assertEquals(operator.log.filter(({ level }) => level === "error"), []);
  await Deno.remove(folder, { recursive: true });
  await installation.stop();
});
