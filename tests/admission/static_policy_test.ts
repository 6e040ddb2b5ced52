import { assertEquals, assertStringIncludes } from "@std/assert";
import { Kubectl } from "../harness/kubectl.ts";
import { startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

/** What holds although the operator is down and left configurations behind that lead to nobody, for every kind that has the rule. */
const NAMESPACE = "static";
const operator = await startTestOperator(NAMESPACE);
const { kubectl } = operator;
const CONFIGURATIONS = ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"];

interface KindUnderPolicy {
  readonly resource: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

const KINDS: readonly KindUnderPolicy[] = [
  {
    resource: "databasetables.kopf.demo",
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    spec: { tableName: "held", columns: [{ ID: "integer" }], primaryKey: "ID" },
  },
  { resource: "databases.zalando.org", apiVersion: "zalando.org/v1", kind: "Database", spec: { type: "mongo" } },
];

function object(kind: KindUnderPolicy, name: string, deletionPolicy: string): unknown {
  const { apiVersion, kind: word, spec } = kind;
  const own = "tableName" in spec ? { ...spec, tableName: name } : spec;
  return { apiVersion, kind: word, metadata: { name, namespace: NAMESPACE }, spec: { ...own, deletionPolicy } };
}

/** As a kill leaves them. */
async function killOperator(): Promise<void> {
  const left = await Promise.all(CONFIGURATIONS.map((kind) => kubectl.ok(["get", kind, NAMESPACE, "-o", "json"])));
  await operator.stopOperator();
  for (const text of left) {
    const { metadata: _, ...rest } = JSON.parse(text);
    await kubectl.ok(["create", "-f", "-"], JSON.stringify({ ...rest, metadata: { name: NAMESPACE } }));
  }
}

Deno.test("with the operator down Forbid is denied by name and by collection, and other deletions are accepted", async () => {
  for (const kind of KINDS) {
    for (const policy of ["Forbid", "Retain"]) {
      const { code, stderr } = await kubectl.apply(object(kind, policy.toLowerCase(), policy));
      assertEquals(code, 0, stderr);
    }
  }
  await killOperator();
  for (const { resource } of KINDS) {
    const [plural, group] = [resource.slice(0, resource.indexOf(".")), resource.slice(resource.indexOf(".") + 1)];
    const path = `/apis/${group}/v1/namespaces/${NAMESPACE}/${plural}?fieldSelector=metadata.name%3Dforbid`;
    for (const args of [["delete", resource, "forbid", "--wait=false"], ["delete", "--raw", path]]) {
      const { code, stderr } = await kubectl.run(args);
      assertEquals(code, 1, resource);
      assertStringIncludes(stderr, "spec.deletionPolicy is Forbid: set it to Delete");
    }
    await kubectl.ok(["delete", resource, "retain", "--wait=false"]);
  }
});

Deno.test("with the operator down a user without the verb adopt may not point at a table that exists", async () => {
  const role = ["create", "role", "author", "--resource=databasetables.kopf.demo", "--verb=create,get,patch,update"];
  await kubectl.ok(role);
  await kubectl.ok(["create", "rolebinding", "author", "--role=author", "--user=joe"]);
  const [table] = KINDS;
  if (table === undefined) throw new Error("there is a kind");
  const adopting = { ...table, spec: { ...table.spec, adoptionPolicy: "IfCompatible" } };
  const create = ["create", "--as=joe", "--dry-run=server", "-f", "-"];
  await kubectl.granted("joe", "create", "databasetables.kopf.demo");
  const denied = await kubectl.run(create, JSON.stringify(object(adopting, "adopting", "Retain")));
  assertEquals(denied.code, 1);
  assertStringIncludes(denied.stderr, "needs the RBAC verb adopt on databasetables.kopf.demo");
  await kubectl.ok(["create", "role", "adopter", "--resource=databasetables.kopf.demo", "--verb=adopt"]);
  await kubectl.ok(["create", "rolebinding", "adopter", "--role=adopter", "--user=joe"]);
  // The policy lets it pass now; that nobody judges it is what stops it.
  await eventually("the policy knows the role", async () => {
    const { stderr } = await kubectl.run(create, JSON.stringify(object(adopting, "adopting", "Retain")));
    return stderr.includes("failed calling webhook");
  });
});

Deno.test("with the operator down a namespace is not held by Forbid: its objects are marked or gone", async () => {
  await kubectl.ok(["delete", "namespace", NAMESPACE, "--wait=false"]);
  for (const { resource } of KINDS) {
    await eventually(`${resource} are marked or gone`, async () => {
      const { items } = JSON.parse(await kubectl.ok(["get", resource, "-o", "json"])) as {
        items: readonly { readonly metadata: { readonly deletionTimestamp?: string } }[];
      };
      return items.every(({ metadata }) => metadata.deletionTimestamp !== undefined);
    });
  }
  const starting = operator.startOperator();
  const elsewhere = new Kubectl(operator.testbed, "default");
  await eventually("it is gone", async () => (await elsewhere.run(["get", "namespace", NAMESPACE])).code !== 0);
  await elsewhere.ok(["create", "namespace", NAMESPACE]);
  await starting;
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});
