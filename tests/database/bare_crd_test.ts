import { assertEquals, assertStringIncludes } from "@std/assert";
import { KOPF_FINALIZER } from "../../handlers/kopf_takeover.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { startTestNodes } from "../harness/nodes.ts";
import { startTestOperator } from "../harness/operator.ts";
import { makeServerDatabase } from "../harness/server_database.ts";
import { serverObjects } from "../harness/server_objects.ts";
import { TableObjects } from "../harness/table_objects.ts";
import { startTestbed } from "../harness/testbed.ts";
import { makeVolume } from "../harness/volumes.ts";
import { eventually } from "../harness/wait.ts";

/** The CRDs that users of the tutorials have: of a Database they keep `spec.type`, and no status. */
const BARE_CRDS = "tests/compat/bare-crds.yaml";

const testbed = await startTestbed();
const administrator = new Kubectl(testbed, "default");
await administrator.ok(["apply", "-f", BARE_CRDS]);
await administrator.ok(["wait", "--for=condition=Established", "crd/databases.zalando.org", "--timeout=30s"]);
/** What stands behind the Pod of a Database that says nothing of its login. */
const app = await makeServerDatabase(testbed, "app");
const operator = await startTestOperator("bare-servers", {
  testbed,
  flags: ["--no-crds", "--database-address", `bare-servers/pg=${app.host}:${app.port}`],
});
const nodes = await startTestNodes(testbed);
await makeVolume(testbed, "bare-volume");
const { kubectl, namespace } = operator;
const servers = serverObjects(kubectl, namespace);

async function podIsReady(name: string): Promise<void> {
  await kubectl.ok(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=60s"]);
}

Deno.test("under the bare CRD message and node port are annotations and an event", async () => {
  for (const name of ["mongo-db", "mysql-db"]) {
    await kubectl.ok(["apply", "-f", `manifests/samples/${name}.yaml`]);
    const annotations = await eventually(`${name} has a node port`, async () => {
      const { metadata } = await servers.database(name);
      return metadata.annotations?.["zalando.org/node-port"] === undefined ? undefined : metadata.annotations;
    });
    const { spec } = await kubectl.get("service", name) as { spec: { ports: { nodePort: number }[] } };
    assertEquals(annotations["zalando.org/message"], `Pod and Service created by Database ${name}`);
    assertEquals(annotations["zalando.org/node-port"], String(spec.ports[0]?.nodePort));
    await podIsReady(name);
    await eventually(`${name} has an event`, async () => (await servers.events(name)).includes("Created"));
  }
});

Deno.test("under the bare CRD a deleted Pod comes back, and deleting the object takes what was made", async () => {
  const before = await servers.uidOf("pod", "mysql-db") ?? "";
  await kubectl.ok(["delete", "pod", "mysql-db", "--wait=false"]);
  await servers.newPod("mysql-db", before);
  await kubectl.ok(["delete", "databases.zalando.org", "mysql-db"]);
  await servers.gone("pod", "mysql-db");
  await servers.gone("service", "mysql-db");
});

Deno.test("under the bare CRD tables are made in a Database, whose Pod tells that it is ready", async () => {
  await servers.applied("pg", { type: "postgres" });
  await podIsReady("pg");
  await app.setPassword((await servers.secret("pg-credentials"))["password"] ?? "");
  const tables = new TableObjects(operator);
  await tables.accepted("in-bare", { databaseRef: { name: "pg" } });
  await eventually("the table is made", async () => (await app.tables()).includes("in_bare"));
  await tables.ready("in-bare");
  await kubectl.ok(["delete", "databasetable", "in-bare", "--timeout=60s"]);
  assertEquals(await app.tables(), []);
  await kubectl.ok(["delete", "databases.zalando.org", "pg"]);
  await app.close();
});

Deno.test("under the bare CRD the loop refuses a type that nobody knows, and a missing one", async () => {
  await operator.stopOperator();
  await servers.applied("odd", { type: "oracle" });
  await servers.applied("untyped", {});
  await operator.startOperator();
  for (const name of ["odd", "untyped"]) {
    await eventually(`${name} is refused`, async () => (await servers.events(name)).includes("InvalidSpec"));
    assertEquals([await servers.uidOf("pod", name), await servers.uidOf("service", name)], [undefined, undefined]);
  }
  await kubectl.ok(["delete", "databases.zalando.org", "odd", "untyped"]);
});

Deno.test("a Pod and a Service that kopf made are taken over as they are", async () => {
  await operator.stopOperator();
  await servers.applied("old-db", { type: "mongo" });
  const { metadata: { uid } } = await servers.database("old-db");
  const ownerReferences = [
    { apiVersion: "zalando.org/v1", kind: "Database", name: "old-db", uid, controller: true, blockOwnerDeletion: true },
  ];
  const metadata = { name: "old-db", namespace, labels: { app: "db" }, ownerReferences };
  const containers = [{ image: "mongo:4.0", name: "mongo" }];
  const ports = [{ port: 27017, targetPort: 27017 }];
  const made = [
    { apiVersion: "v1", kind: "Pod", metadata, spec: { containers } },
    { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: "db" }, type: "NodePort", ports } },
  ];
  for (const each of made) await kubectl.ok(["create", "-f", "-"], JSON.stringify(each));
  const pod = await servers.uidOf("pod", "old-db");
  const service = await kubectl.get("service", "old-db") as { metadata: { uid: string }; spec: { ports: unknown[] } };
  await operator.startOperator();
  await eventually("the Service selects the Pod alone", async () => {
    const { spec } = await kubectl.get("service", "old-db") as { spec: { selector: Record<string, string> } };
    return spec.selector["app.kubernetes.io/instance"] === "old-db";
  });
  await podIsReady("old-db");
  assertEquals(await servers.endpointsOf("old-db"), ["old-db"]);
  assertEquals(await servers.uidOf("pod", "old-db"), pod);
  assertEquals(await servers.uidOf("service", "old-db"), service.metadata.uid);
  assertEquals(await servers.uidOf("secret", "old-db-binding"), undefined);
});

Deno.test("under our CRD the status tells what a new Pod would have, and the user decides when it comes", async () => {
  const before = await servers.uidOf("pod", "old-db") ?? "";
  await operator.restart([]);
  const { message } = await servers.condition("old-db", "UpgradePending=True");
  assertStringIncludes(message, "spec.securityContext");
  assertStringIncludes(message, "spec.containers[0].");
  await servers.condition("old-db", "Ready=True");
  await servers.condition("old-db", "AcceptingConnections=Unknown");
  assertEquals(await servers.uidOf("pod", "old-db"), before);
  await servers.applied("old-db", { type: "mongo", upgradePolicy: { replace: "Now" } });
  await servers.newPod("old-db", before);
  await servers.condition("old-db", "AcceptingConnections=True");
  assertEquals((await servers.database("old-db")).status?.binding, { name: "old-db-binding" });
  await kubectl.ok(["wait", "--for=condition=Ready", "databases.zalando.org/mongo-db", "--timeout=60s"]);
});

Deno.test("the bare CRD applied over ours loses nothing: Pod, volume and Secret stay, and so does the spec", async () => {
  const storage = { size: "1Gi", storageClassName: "by-hand" };
  const spec = { type: "postgres", version: "17", storage, deletionPolicy: "Delete" };
  await servers.applied("shop", spec);
  await servers.ready("shop");
  const uids = () =>
    Promise.all(
      [["pod", "shop"], ["pvc", "shop"], ["secret", "shop-credentials"]].map(([resource = "", name = ""]) =>
        servers.uidOf(resource, name)
      ),
    );
  const before = await uids();
  // As one looks that kopf had before us, and that we have not told of yet: its marks go with a write of the object.
  await operator.stopOperator();
  const clear = (what: unknown, ...flags: string[]) =>
    kubectl.ok(["patch", "databases.zalando.org", "shop", "--type=merge", ...flags, "-p", JSON.stringify(what)]);
  await clear({ status: null }, "--subresource=status");
  await clear({ metadata: { finalizers: [KOPF_FINALIZER] } });
  const { metadata: { resourceVersion } } = await kubectl.get("databases.zalando.org", "shop") as {
    metadata: { resourceVersion: string };
  };
  await administrator.ok(["apply", "-f", BARE_CRDS]);
  await eventually("the schema is bare", async () => (await servers.database("shop")).spec["storage"] === undefined);
  await operator.startOperator(["--no-crds"]);
  await eventually("the downgrade is told", async () => (await servers.events("shop")).includes("SchemaDowngraded"));
  assertEquals(await uids(), before);
  assertEquals((await servers.database("shop")).metadata.resourceVersion, resourceVersion);
  await operator.restart([]);
  await eventually("the schema is ours", async () => (await servers.database("shop")).spec["storage"] !== undefined);
  await servers.ready("shop");
  assertEquals(await uids(), before);
  const after = await servers.database("shop");
  assertEquals([after.spec["deletionPolicy"], after.metadata.finalizers], ["Delete", undefined]);
});

Deno.test("a spec that was stored without its fields keeps the volume and says what is missing", async () => {
  const uids = () =>
    Promise.all([
      servers.uidOf("pod", "shop"),
      servers.uidOf("pvc", "shop"),
      servers.uidOf("secret", "shop-credentials"),
    ]);
  const before = await uids();
  await administrator.ok(["apply", "-f", BARE_CRDS]);
  await eventually("the schema is bare", async () => (await servers.database("shop")).spec["storage"] === undefined);
  await operator.stopOperator();
  await kubectl.ok(["annotate", "databases.zalando.org", "shop", "example.com/note=hello"]);
  await operator.startOperator([]);
  const { message } = await servers.condition("shop", "Stalled=True", "ChangeRefused");
  assertStringIncludes(
    message,
    "spec.storage: cannot be absent: the data is on PersistentVolumeClaim shop; put it back",
  );
  assertEquals(await uids(), before);
});

Deno.test("the operator stops in order", async () => {
  await nodes[Symbol.asyncDispose]();
  await operator.close();
});
