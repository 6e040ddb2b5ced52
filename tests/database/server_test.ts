import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Kubectl } from "../harness/kubectl.ts";
import { deleteNamespace } from "../harness/namespace_end.ts";
import { startTestNodes } from "../harness/nodes.ts";
import { startTestOperator } from "../harness/operator.ts";
import { serverObjects } from "../harness/server_objects.ts";
import { makeVolume } from "../harness/volumes.ts";
import { eventually } from "../harness/wait.ts";

const operator = await startTestOperator("server");
let nodes = await startTestNodes(operator.testbed);
const { kubectl, namespace } = operator;
const servers = serverObjects(kubectl, namespace);
await kubectl.ok(["label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted"]);
await makeVolume(operator.testbed, "shop-volume");

const SHOP = { type: "postgres", version: "18.1", storage: { size: "1Gi", storageClassName: "by-hand" } };

interface Child {
  readonly metadata: {
    readonly uid: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly ownerReferences?: readonly unknown[];
  };
  readonly spec: Record<string, unknown>;
}

async function child(resource: string, name: string): Promise<Child> {
  return await kubectl.get(resource, name) as unknown as Child;
}

async function uid(resource: string, name: string): Promise<string> {
  return await servers.uidOf(resource, name) ?? "";
}

Deno.test("all three types pass the restricted Pod Security Standard, which the namespace enforces", async () => {
  const shown = await servers.applied("shop", SHOP);
  assertEquals(shown.includes("spec.storage is absent"), false);
  assertStringIncludes(await servers.applied("cache", { type: "mysql" }), "Warning: spec.storage is absent");
  await servers.applied("documents", { type: "mongo", version: "7.0", networkPolicy: { enabled: true } });
  for (const name of ["shop", "cache", "documents"]) await servers.ready(name);
  await servers.condition("shop", "AcceptingConnections=True");
  await servers.condition("shop", "StorageReady=True");
  assertEquals((await servers.database("shop")).spec["resources"], {
    limits: { memory: "1Gi" },
    requests: { cpu: "100m", memory: "512Mi" },
  });
  assertNotEquals(await kubectl.get("networkpolicy", "documents"), undefined);
});

Deno.test("clients find all that they need in the binding Secret", async () => {
  const { password, uri, ...rest } = await servers.secret("shop-binding");
  const credentials = await servers.secret("shop-credentials");
  const host = `shop.${namespace}.svc`;
  assertEquals(rest, {
    type: "postgresql",
    provider: "tablewright",
    host,
    port: "5432",
    database: "app",
    username: "app",
  });
  assertEquals(uri, `postgresql://app:${password}@${host}:5432/app`);
  assertEquals([credentials["password"], credentials["username"]], [password, "app"]);
  assertEquals([password?.length, credentials["admin-password"]?.length], [32, 32]);
});

Deno.test("a deleted Pod, one that was evicted, a deleted Service and edited ones come back as they should be", async () => {
  const [claim, service] = [await uid("pvc", "shop"), await uid("service", "shop")];
  const first = await uid("pod", "shop");
  await kubectl.ok(["delete", "pod", "shop", "--wait=false"]);
  const second = await servers.newPod("shop", first);
  const evicted = JSON.stringify({
    status: { phase: "Failed", reason: "Evicted", message: "The node was low on memory" },
  });
  await kubectl.ok(["patch", "pod", "shop", "--subresource=status", "--type=merge", "-p", evicted]);
  const third = await servers.newPod("shop", second);
  await kubectl.ok(["patch", "pod", "shop", "--subresource=status", "--type=merge", "-p", evicted]);
  // One that ends again soon is left for a while, so that nothing is made and deleted without end; a person may do so at once.
  const { message } = await servers.condition("shop", "Ready=False", "PodFailed");
  assertStringIncludes(message, "the Pod has ended, as the one before it did; it is replaced at 2");
  assertEquals(await uid("pod", "shop"), third);
  await kubectl.ok(["delete", "pod", "shop", "--wait=false"]);
  const fourth = await servers.newPod("shop", third);
  const image = JSON.stringify({ spec: { containers: [{ name: "postgres", image: "postgres:17" }] } });
  await kubectl.ok(["patch", "pod", "shop", "-p", image]);
  await eventually("the image is back", async () => {
    const [container] = (await child("pod", "shop")).spec["containers"] as { image: string }[];
    return container?.image === "postgres:18.1";
  });
  const selector = JSON.stringify({ spec: { selector: { app: "db" } } });
  await kubectl.ok(["patch", "service", "shop", "--type=merge", "-p", selector]);
  await eventually("the selector is back", async () => {
    const { spec } = await child("service", "shop");
    return (spec["selector"] as Record<string, string>)["app.kubernetes.io/instance"] === "shop";
  });
  await kubectl.ok(["delete", "service", "shop"]);
  await eventually(
    "the Service is back",
    async () => ![undefined, service].includes(await servers.uidOf("service", "shop")),
  );
  await servers.ready("shop");
  assertEquals([await uid("pvc", "shop"), await uid("pod", "shop")], [claim, fourth]);
});

Deno.test("a Secret that was deleted or edited comes back with the password that the server knows", async () => {
  const { password } = await servers.secret("shop-credentials");
  const restored = async (what: string) => {
    // Secrets are not watched; a change of the object is the way to be seen at once.
    await kubectl.ok(["annotate", "--overwrite", "databases.zalando.org", "shop", `example.com/look=${what}`]);
    await eventually(`${what} is undone`, async () => {
      const [ours, bound] = await Promise.all(
        ["shop-credentials", "shop-binding"].map((name) => kubectl.get("secret", name)),
      );
      const passwordOf = (secret: unknown) => atob((secret as { data: Record<string, string> }).data["password"] ?? "");
      return ours !== undefined && bound !== undefined && passwordOf(ours) === password &&
        passwordOf(bound) === password;
    });
  };
  await kubectl.ok(["delete", "secret", "shop-credentials"]);
  await restored("deleted");
  await kubectl.ok(["delete", "secret", "shop-binding"]);
  await restored("unbound");
  const edit = JSON.stringify({ stringData: { password: "guessed" } });
  for (const name of ["shop-credentials", "shop-binding"]) {
    await kubectl.ok(["patch", "secret", name, "-p", edit]);
    await restored(`edited-${name}`);
  }
  assertEquals((await servers.events("shop")).includes("SecretRestored"), true);
});

Deno.test("while the volume lives no password is made up; a Secret that is put back is used", async () => {
  const { password = "" } = await servers.secret("shop-credentials");
  await operator.stopOperator();
  await kubectl.ok(["delete", "secret", "shop-credentials", "shop-binding"]);
  await operator.startOperator();
  const { message } = await servers.condition("shop", "Stalled=True", "CredentialsLost");
  const labels = ["app.kubernetes.io/managed-by=tablewright", "app.kubernetes.io/instance=shop"];
  for (const label of labels) assertStringIncludes(message, label);
  assertEquals(await servers.uidOf("secret", "shop-credentials"), undefined);
  const metadata = {
    name: "shop-credentials",
    namespace,
    labels: Object.fromEntries(labels.map((each) => each.split("="))),
  };
  const manifest = { apiVersion: "v1", kind: "Secret", metadata, stringData: { password } };
  assertEquals((await kubectl.apply(manifest)).code, 0);
  await kubectl.ok(["annotate", "--overwrite", "databases.zalando.org", "shop", "example.com/look=put-back"]);
  await eventually(
    "the binding has it",
    async () => await servers.uidOf("secret", "shop-binding") !== undefined,
  );
  assertEquals((await servers.secret("shop-binding"))["password"], password);
  await servers.ready("shop");
});

Deno.test("what others add to our objects stays", async () => {
  for (const resource of ["pod", "service", "pvc"]) {
    await kubectl.ok(["annotate", resource, "shop", "example.com/theirs=yes"]);
    await kubectl.ok(["label", resource, "shop", "theirs=yes"]);
  }
  await servers.applied("shop", {
    ...SHOP,
    podLabels: { team: "shop" },
    service: { annotations: { "example.com/a": "1" } },
  });
  await eventually("our label is there", async () => (await child("pod", "shop")).metadata.labels["team"] === "shop");
  await eventually(
    "our annotation is there",
    async () => (await child("service", "shop")).metadata.annotations["example.com/a"] === "1",
  );
  await servers.applied("shop", SHOP);
  await eventually("our label is gone", async () => (await child("pod", "shop")).metadata.labels["team"] === undefined);
  await eventually(
    "our annotation is gone",
    async () => (await child("service", "shop")).metadata.annotations["example.com/a"] === undefined,
  );
  for (const resource of ["pod", "service", "pvc"]) {
    const { metadata: { annotations, labels } } = await child(resource, "shop");
    assertEquals([annotations["example.com/theirs"], labels["theirs"]], ["yes", "yes"]);
  }
});

Deno.test("another minor version and other resources roll the Pod; another major version is denied", async () => {
  const before = await uid("pod", "shop");
  await servers.applied("shop", { ...SHOP, version: "18.2" });
  const upgraded = await servers.newPod("shop", before);
  await eventually(
    "the status tells the version",
    async () => (await servers.database("shop")).status?.version === "18.2",
  );
  await servers.applied("shop", { ...SHOP, version: "18.2", resources: { limits: { memory: "2Gi" } } });
  await servers.newPod("shop", upgraded);
  const denied = await servers.apply("shop", { ...SHOP, version: "17" });
  assertStringIncludes(denied.stderr, "spec.version: 18.2 to 17 is a downgrade: set upgradePolicy.major: Manual");
  assertStringIncludes(
    (await servers.apply("cache", { type: "mysql", version: "8.4" })).stderr,
    "is another major version",
  );
});

Deno.test("the Pod of a node that is lost is waited for, never forced", async () => {
  await servers.ready("shop");
  const before = await uid("pod", "shop");
  await nodes[Symbol.asyncDispose]();
  await kubectl.ok(["delete", "pod", "shop", "--wait=false"]);
  await servers.condition("shop", "Ready=False", "ReplacingPod");
  await kubectl.ok(["annotate", "--overwrite", "databases.zalando.org", "shop", "example.com/look=again"]);
  await servers.applied("shop", { ...SHOP, version: "18.2" });
  await servers.condition("shop", "Ready=False", "ReplacingPod");
  const { metadata } = await kubectl.get("pod", "shop") as {
    metadata: { uid: string; deletionGracePeriodSeconds: number };
  };
  assertEquals([metadata.uid, metadata.deletionGracePeriodSeconds], [before, 60]);
  nodes = await startTestNodes(operator.testbed);
  await servers.newPod("shop", before);
  await servers.ready("shop");
});

Deno.test("the volume only grows, and a growth that is refused is a condition", async () => {
  assertStringIncludes(
    (await servers.apply("shop", { ...SHOP, version: "18.2", storage: { ...SHOP.storage, size: "512Mi" } })).stderr,
    "spec.storage.size: cannot shrink from 1Gi to 512Mi",
  );
  await servers.applied("shop", { ...SHOP, version: "18.2", storage: { ...SHOP.storage, size: "2Gi" } });
  const { message } = await servers.condition("shop", "StorageReady=False", "ResizeRefused");
  assertStringIncludes(message, "only dynamically provisioned pvc can be resized");
});

Deno.test("suspend leaves everything as it is", async () => {
  await servers.applied("cache", { type: "mysql", suspend: true });
  await servers.condition("cache", "Suspended=True");
  await kubectl.ok(["delete", "pod", "cache"]);
  await servers.condition("cache", "Ready=False", "PodNotReady");
  assertEquals(await servers.uidOf("pod", "cache"), undefined);
  await servers.applied("cache", { type: "mysql" });
  await servers.newPod("cache", "");
});

Deno.test("a Database that is deleted and made again at once waits for what is left of the first one", async () => {
  const before = await uid("pod", "cache");
  await kubectl.ok(["delete", "databases.zalando.org", "cache"]);
  await servers.applied("cache", { type: "mysql" });
  await servers.newPod("cache", before);
  await servers.ready("cache");
});

Deno.test("a Pod that the namespace does not take is a condition, in the words of the API server", async () => {
  const podSecurityContext = { runAsNonRoot: false, runAsUser: 0 };
  await servers.applied("rooted", { type: "mysql", podSecurityContext });
  const { message } = await servers.condition("rooted", "Ready=False", "ApplyRefused");
  assertStringIncludes(message, `violates PodSecurity "restricted:latest"`);
  await servers.applied("rooted", { type: "mysql" });
  await servers.ready("rooted");
  await kubectl.ok(["delete", "databases.zalando.org", "rooted"]);
});

Deno.test("a name that somebody else has is denied, and told by the loop", async () => {
  const manifest = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "taken", namespace },
    spec: { ports: [{ port: 80 }] },
  };
  await kubectl.ok(["apply", "-f", "-"], JSON.stringify(manifest));
  const said = `Service ${namespace}/taken exists and was not made for this Database`;
  assertStringIncludes((await servers.apply("taken", { type: "mongo" })).stderr, said);
  await operator.stopOperator();
  await servers.applied("taken", { type: "mongo" });
  await operator.startOperator();
  const { message } = await servers.condition("taken", "OwnershipConflict=True", "NameTaken");
  assertStringIncludes(message, said);
  assertEquals(await servers.uidOf("pod", "taken"), undefined);
  assertEquals(((await child("service", "taken")).spec["ports"] as { port: number }[])[0]?.port, 80);
  await kubectl.ok(["delete", "databases.zalando.org", "taken"]);
  await kubectl.ok(["delete", "service", "taken"]);
});

Deno.test("without a webhook the loop refuses a missing type, and a name that no Service can have", async () => {
  await operator.stopOperator();
  await servers.applied("untyped", { version: "18" });
  await servers.applied("my.dotted", { type: "mongo" });
  await operator.startOperator();
  await servers.condition("untyped", "Stalled=True", "InvalidSpec");
  await servers.condition("my.dotted", "Stalled=True", "InvalidSpec");
  await kubectl.ok(["delete", "databases.zalando.org", "untyped", "my.dotted"]);
});

Deno.test("the user's own Secret is waited for and used, and never written", async () => {
  await servers.applied("own", { type: "postgres", auth: { secretRef: { name: "mine" } } });
  await servers.condition("own", "Ready=False", "WaitingForSecret");
  await kubectl.ok(["create", "secret", "generic", "mine", "--from-literal=password=p@ss/word"]);
  const before = await child("secret", "mine");
  await kubectl.ok(["annotate", "databases.zalando.org", "own", "example.com/look=now"]);
  await servers.ready("own");
  assertEquals(
    (await servers.secret("own-binding"))["uri"],
    `postgresql://app:p%40ss%2Fword@own.${namespace}.svc:5432/app`,
  );
  assertEquals((await child("secret", "mine")).metadata, before.metadata);
  assertEquals(await servers.uidOf("secret", "own-credentials"), undefined);
});

Deno.test("a rotation keeps both passwords in the Secret until the Pod has them", async () => {
  const { password } = await servers.secret("shop-credentials");
  const rotation = { auth: { rotateRequestedAt: "2026-01-31T12:00:00Z" } };
  await servers.applied("shop", { ...SHOP, version: "18.2", storage: { ...SHOP.storage, size: "2Gi" }, ...rotation });
  await servers.condition("shop", "RotatingCredentials=True", "WaitingForPod");
  const pending = await servers.secret("shop-credentials");
  assertEquals([pending["password"], pending["next-password"]?.length], [password, 32]);
  assertEquals((await servers.secret("shop-binding"))["password"], password);
});

Deno.test("Retain keeps volume and Secret, and the same Database takes them back", async () => {
  const [claim, credentials] = [await uid("pvc", "shop"), await servers.secret("shop-credentials")];
  await kubectl.ok(["delete", "databases.zalando.org", "shop"]);
  await servers.gone("pod", "shop");
  await servers.gone("secret", "shop-binding");
  await servers.applied("shop", { ...SHOP, version: "18.2", storage: { ...SHOP.storage, size: "2Gi" } });
  await servers.ready("shop");
  assertEquals(await uid("pvc", "shop"), claim);
  assertEquals((await servers.secret("shop-credentials"))["password"], credentials["password"]);
});

Deno.test("Forbid denies the deletion, also while the operator is down; Delete takes volume and Secret", async () => {
  const spec = { ...SHOP, version: "18.2", storage: { ...SHOP.storage, size: "2Gi" } };
  await servers.applied("shop", { ...spec, deletionPolicy: "Forbid" });
  const refused = await kubectl.run(["delete", "databases.zalando.org", "shop"]);
  assertStringIncludes(refused.stderr, "spec.deletionPolicy");
  await operator.stopOperator();
  assertStringIncludes(
    (await kubectl.run(["delete", "databases.zalando.org", "shop"])).stderr,
    "spec.deletionPolicy is Forbid",
  );
  await operator.startOperator();
  await servers.applied("shop", { ...spec, deletionPolicy: "Delete" });
  for (const [resource, name] of [["pvc", "shop"], ["secret", "shop-credentials"]] as const) {
    await eventually(
      `${resource} ${name} is owned`,
      async () => (await child(resource, name)).metadata.ownerReferences?.length === 1,
    );
  }
  await kubectl.ok(["delete", "databases.zalando.org", "shop"]);
  await servers.gone("secret", "shop-credentials");
  await servers.gone("pvc", "shop");
});

Deno.test("a namespace that goes away is not held up, Forbid or not", async () => {
  const own = new Kubectl(operator.testbed, "default");
  await servers.applied("cache", { type: "mysql", deletionPolicy: "Forbid" });
  await deleteNamespace(own, namespace);
});

Deno.test("the operator stops in order", async () => {
  await nodes[Symbol.asyncDispose]();
  await operator.close();
});
