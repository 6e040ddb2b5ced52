import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { condition, startTestOperator } from "../harness/operator.ts";
import { eventually } from "../harness/wait.ts";

const NAME = "guarded";
const operator = await startTestOperator(NAME);
const { kubectl } = operator;
const VALIDATING = "validatingwebhookconfiguration";
const MUTATING = "mutatingwebhookconfiguration";
/** The promise is ten seconds; a starved machine gets more from the test than from the promise. */
const HEALED_MS = 30_000;

type Entry = Record<string, unknown> & { readonly name: string };

async function webhooks(kind: string): Promise<readonly Entry[] | undefined> {
  return (await kubectl.get(kind, NAME))?.["webhooks"] as readonly Entry[] | undefined;
}

async function healed(kind: string, wanted: readonly Entry[]): Promise<void> {
  const before = performance.now();
  await eventually(`${kind} is as before`, async () => {
    try {
      assertEquals(await webhooks(kind), wanted);
      return true;
    } catch {
      return false;
    }
  });
  const ms = performance.now() - before;
  assert(ms < HEALED_MS, `healed after ${ms} ms`);
}

function table(name: string, more: Record<string, unknown> = {}): unknown {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: { name, namespace: NAME },
    spec: { tableName: name, columns: [{ ID: "integer" }], primaryKey: "ID", ...more },
  };
}

Deno.test("a deleted configuration comes back as it was", async () => {
  for (const kind of [VALIDATING, MUTATING]) {
    const wanted = await webhooks(kind) ?? [];
    assert(wanted.length > 0);
    await kubectl.ok(["delete", kind, NAME]);
    await healed(kind, wanted);
  }
});

Deno.test("whatever somebody changes, adds or removes in a configuration is undone", async () => {
  const wanted = await webhooks(VALIDATING) ?? [];
  const never = { name: "never", expression: "false" };
  const changes: readonly unknown[] = [
    [{ op: "remove", path: "/webhooks/0/clientConfig/caBundle" }],
    [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }],
    [{ op: "add", path: "/webhooks/0/matchConditions/-", value: never }],
    [{ op: "replace", path: "/webhooks/0/objectSelector", value: { matchLabels: { a: "b" } } }],
    [{ op: "replace", path: "/webhooks/0/clientConfig/url", value: "https://127.0.0.1:1/validate" }],
    [{ op: "remove", path: "/webhooks/1" }],
    [{ op: "replace", path: "/webhooks/0/rules/0/operations", value: ["CREATE"] }],
  ];
  for (const change of changes) {
    await kubectl.ok(["patch", VALIDATING, NAME, "--type=json", "-p", JSON.stringify(change)]);
    await healed(VALIDATING, wanted);
  }
  const { code, stderr } = await kubectl.apply(table("refused", { columns: [{ ID: "interger" }] }));
  assertEquals(code, 1);
  assertStringIncludes(stderr, "spec.columns[0].ID");
});

Deno.test("a configuration belongs to our ClusterRole, so that both go together", async () => {
  await kubectl.ok(["create", "clusterrole", NAME, "--verb=get", "--resource=pods"]);
  await operator.restart();
  const owner = (await kubectl.get(VALIDATING, NAME))?.["metadata"] as {
    ownerReferences?: readonly { kind: string }[];
  };
  assertEquals(owner.ownerReferences?.map(({ kind }) => kind), ["ClusterRole"]);
  await kubectl.ok(["delete", "clusterrole", NAME]);
  // The garbage collector takes them; the operator, which still runs, brings them back without an owner.
  for (const kind of [VALIDATING, MUTATING]) {
    await eventually(`the ${kind} has no owner any more`, async () => {
      const metadata = (await kubectl.get(kind, NAME))?.["metadata"] as { ownerReferences?: unknown } | undefined;
      return metadata !== undefined && metadata.ownerReferences === undefined;
    });
  }
});

Deno.test("a second mutating webhook that fights for a field ends in a judged object", async () => {
  const patch = [{ op: "add", path: "/spec/columns", value: [{ ID: "integer" }, { NOTE: "interger" }] }];
  await using fighter = await startFighter(patch);
  await eventually(
    "it is asked, too",
    async () => (await kubectl.apply(table("fought"), "--dry-run=server")).code === 1,
  );
  const { code, stderr } = await kubectl.apply(table("fought"));
  // It changed the spec after us: what came out of it was judged, and not what the user wrote.
  assertEquals(code, 1);
  assertStringIncludes(stderr, "spec.columns[1].NOTE");

  fighter.patch = [{ op: "add", path: "/metadata/finalizers", value: ["example.com/other"] }];
  assertEquals((await kubectl.apply(table("fought"))).code, 0);
  // Both are invoked once more, and the other one has the last word: the loop brings ours back.
  await eventually("both finalizers are there", async () => {
    const { metadata } = await kubectl.get("databasetable", "fought") as {
      metadata: { finalizers: readonly string[] };
    };
    return metadata.finalizers.toSorted().join() === "example.com/other,kopf.demo/tablewright";
  });
  await kubectl.ok([
    "patch",
    "databasetable",
    "fought",
    "--type=json",
    "-p",
    '[{"op":"remove","path":"/metadata/finalizers/0"}]',
  ]);
  await condition(operator, "fought", { type: "Ready", status: "True" });
});

interface Fighter extends AsyncDisposable {
  patch: readonly unknown[];
}

/** A webhook of somebody else that patches each DatabaseTable of this namespace, after ours by its name. */
async function startFighter(patch: readonly unknown[]): Promise<Fighter> {
  const { createCertificateAuthority, issueCertificate } = await import("../../kube/webhook/certificate.ts");
  const now = new Date();
  const authority = await createCertificateAuthority({ commonName: "fighter", validDays: 1, now });
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  const leaf = await issueCertificate(authority, {
    commonName: "fighter",
    ...names,
    usage: "server",
    validDays: 1,
    now,
  });
  const state = { patch };
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", cert: leaf.certificate, key: leaf.privateKey, onListen() {} },
    async (request) => {
      const { request: { uid } } = await request.json() as { request: { uid: string } };
      const response = { uid, allowed: true, patchType: "JSONPatch", patch: btoa(JSON.stringify(state.patch)) };
      return Response.json({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response });
    },
  );
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "zz-fighter" },
    webhooks: [{
      name: "fight.example.com",
      clientConfig: { url: `https://127.0.0.1:${server.addr.port}/`, caBundle: btoa(authority.certificate) },
      rules: [{
        apiGroups: ["kopf.demo"],
        apiVersions: ["v1"],
        resources: ["databasetables"],
        operations: ["CREATE", "UPDATE"],
      }],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAME } },
      matchConditions: [{
        name: "users",
        expression: "object.metadata.name == 'fought' && request.operation == 'CREATE'",
      }],
      ...{ admissionReviewVersions: ["v1"], sideEffects: "None", reinvocationPolicy: "IfNeeded" },
    }],
  };
  await kubectl.ok(["create", "-f", "-"], JSON.stringify(configuration));
  return Object.assign(state, {
    async [Symbol.asyncDispose]() {
      await kubectl.ok(["delete", MUTATING, "zz-fighter"]);
      await server.shutdown();
    },
  });
}

Deno.test("an operator that was killed blocks nothing but changes of its kinds, and starts again without help", async () => {
  assertEquals((await kubectl.apply(table("held"))).code, 0);
  await condition(operator, "held", { type: "Ready", status: "True" });
  assertEquals((await kubectl.apply(table("forbidden", { deletionPolicy: "Forbid" }))).code, 0);
  const left = await Promise.all([VALIDATING, MUTATING].map((kind) => kubectl.ok(["get", kind, NAME, "-o", "json"])));
  await operator.stopOperator();
  // As a kill leaves them: they lead to nobody.
  for (const text of left) {
    const { metadata: _, ...rest } = JSON.parse(text);
    await kubectl.ok(["create", "-f", "-"], JSON.stringify({ ...rest, metadata: { name: NAME } }));
  }
  await eventually("changes of our kinds are refused", async () => {
    return (await kubectl.apply(table("late"), "--dry-run=server")).code !== 0;
  });
  await kubectl.ok(["create", "configmap", "other", "--from-literal=a=b"]);
  await kubectl.ok(["delete", "databasetable", "held", "--wait=false"]);
  const held = await kubectl.get("databasetable", "held") as { metadata: { deletionTimestamp?: string } };
  assert(held.metadata.deletionTimestamp !== undefined);
  const forbidden = await kubectl.run(["delete", "databasetable", "forbidden", "--wait=false"]);
  assertEquals(forbidden.code, 1);
  assertStringIncludes(forbidden.stderr, "spec.deletionPolicy is Forbid");

  await operator.startOperator();
  await eventually("the deletion goes on", async () => await kubectl.get("databasetable", "held") === undefined);
  assertEquals((await kubectl.apply(table("late"))).code, 0);
});

Deno.test("a namespace goes away although the operator is down and a table forbids it", async () => {
  const left = await Promise.all([VALIDATING, MUTATING].map((kind) => kubectl.ok(["get", kind, NAME, "-o", "json"])));
  await operator.stopOperator();
  for (const text of left) {
    const { metadata: _, ...rest } = JSON.parse(text);
    await kubectl.ok(["create", "-f", "-"], JSON.stringify({ ...rest, metadata: { name: NAME } }));
  }
  await kubectl.ok(["delete", "namespace", NAME, "--wait=false"]);
  await eventually("every table is marked", async () => {
    const { items } = JSON.parse(await kubectl.ok(["get", "databasetables", "-o", "json"])) as {
      items: readonly { metadata: { deletionTimestamp?: string } }[];
    };
    return items.length > 0 && items.every(({ metadata }) => metadata.deletionTimestamp !== undefined);
  });
  // Nothing can be admitted in it any more, so that the way to us is proven only in the next one of that name.
  const starting = operator.startOperator();
  await eventually("the namespace is gone", async () => (await kubectl.run(["get", "namespace", NAME])).code !== 0);
  await kubectl.ok(["create", "namespace", NAME]);
  await starting;
  assertEquals((await kubectl.apply(table("again"))).code, 0);
});

Deno.test("the operator stops in order", async () => {
  await operator.close();
});
