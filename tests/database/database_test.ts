import { assertEquals, assertStringIncludes } from "@std/assert";
import { startTestNodes } from "../harness/nodes.ts";
import { startTestOperator } from "../harness/operator.ts";
import { serverObjects } from "../harness/server_objects.ts";

const operator = await startTestOperator("tutorial");
const nodes = await startTestNodes(operator.testbed);
const { kubectl, namespace } = operator;
const servers = serverObjects(kubectl, namespace);

/** Everything of an object that says how it was made. */
interface Made {
  readonly metadata: {
    readonly uid: string;
    readonly labels: Record<string, string>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly uid: string }[];
  };
  readonly spec: Record<string, unknown>;
}

Deno.test("the tutorial's Databases become a Pod and a NodePort Service, each with its own", async () => {
  for (const [name, image, port] of [["mongo-db", "mongo:4.0", 27017], ["mysql-db", "mysql:8.0", 3306]] as const) {
    await kubectl.ok(["apply", "-f", `manifests/samples/${name}.yaml`]);
    await kubectl.ok(["wait", "--for=condition=Ready", `databases.zalando.org/${name}`, "--timeout=60s"]);
    const { status, metadata } = await servers.database(name);
    const pod = await kubectl.get("pod", name) as unknown as Made;
    const service = await kubectl.get("service", name) as unknown as Made;
    const [container] = pod.spec["containers"] as { image: string; ports: { containerPort: number }[] }[];
    assertEquals([container?.image, container?.ports[0]?.containerPort], [image, port]);
    assertEquals([pod.metadata.labels["app"], service.spec["type"]], ["db", "NodePort"]);
    for (const { metadata: { ownerReferences } } of [pod, service]) {
      assertEquals(ownerReferences?.map(({ kind, uid }) => [kind, uid]), [["Database", metadata.uid]]);
    }
    assertEquals(status?.message, `Pod and Service created by Database ${name}`);
    const [{ nodePort }] = service.spec["ports"] as [{ nodePort: number }];
    assertEquals(status?.endpoint, { host: `${name}.${namespace}.svc`, port, nodePort });
    assertEquals(status?.version, image.split(":")[1]);
    assertEquals(status?.binding, { name: `${name}-binding` });
  }
  assertEquals(await servers.endpointsOf("mongo-db"), ["mongo-db"]);
  assertEquals(await servers.endpointsOf("mysql-db"), ["mysql-db"]);
  const table = await kubectl.ok(["get", "databases.zalando.org"]);
  assertStringIncludes(table, "NAME       TYPE    VERSION   READY   ENDPOINT");
});

Deno.test("deleting a Database takes its Pod and its Service, and keeps the Secret with the password", async () => {
  await kubectl.ok(["delete", "databases.zalando.org", "mongo-db"]);
  await servers.gone("pod", "mongo-db");
  await servers.gone("service", "mongo-db");
  await servers.gone("secret", "mongo-db-binding");
  assertEquals(typeof (await servers.secret("mongo-db-credentials"))["password"], "string");
});

Deno.test("a missing, an unknown and a changed type are denied", async () => {
  for (const spec of [{}, { type: "oracle" }]) {
    const { code, stderr } = await servers.apply("denied", spec);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "spec.type: ");
  }
  const { stderr } = await servers.apply("mysql-db", { type: "postgres" });
  assertStringIncludes(stderr, `spec.type: is immutable: it is "mysql"`);
});

Deno.test("the operator stops in order", async () => {
  await nodes[Symbol.asyncDispose]();
  await operator.close();
});
