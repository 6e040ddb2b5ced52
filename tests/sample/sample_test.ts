import { assertEquals, assertStringIncludes } from "@std/assert";
import { Kubectl } from "../harness/kubectl.ts";
import { startTestOperator } from "../harness/operator.ts";
import { startTestbed } from "../harness/testbed.ts";
import { eventually } from "../harness/wait.ts";

/** The CRDs that users of the tutorials have. */
const BARE_CRDS = "tests/compat/bare-crds.yaml";
const SAMPLE = "tests/compat/sample.yaml";

const testbed = await startTestbed();
const administrator = new Kubectl(testbed, "default");
await administrator.ok(["apply", "-f", BARE_CRDS]);
await administrator.ok(["wait", "--for=condition=Established", "crd/samples.nuvolaris.org", "--timeout=30s"]);
const operator = await startTestOperator("sample", { testbed, flags: ["--no-crds"] });
const { kubectl } = operator;

interface Stored {
  readonly metadata: { readonly generation: number; readonly ownerReferences?: readonly { readonly name: string }[] };
  readonly spec: {
    readonly replicas?: number;
    readonly template?: { readonly spec: { readonly containers: unknown } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly message?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

async function read(resource: string, name: string): Promise<Stored | undefined> {
  return await kubectl.get(resource, name) as unknown as Stored | undefined;
}

async function hasReplicas(count: number): Promise<Stored> {
  return await eventually(`demo-deploy has ${count} replicas`, async () => {
    const deployment = await read("deployment", "demo-deploy");
    return deployment?.spec.replicas === count ? deployment : undefined;
  });
}

async function says(name: string, message: string): Promise<Stored> {
  return await eventually(`Sample ${name} says ${message}`, async () => {
    const sample = await read("sample", name);
    const isSeen = sample?.status?.observedGeneration === sample?.metadata.generation;
    return isSeen && sample?.status?.message?.includes(message) === true ? sample : undefined;
  });
}

async function eventReasons(): Promise<readonly string[]> {
  const events = JSON.parse(await kubectl.ok(["get", "events.events.k8s.io", "-o", "json"]));
  return (events.items as { regarding: { kind: string }; reason: string }[])
    .filter(({ regarding }) => regarding.kind === "Sample").map(({ reason }) => reason).toSorted();
}

function sample(name: string, spec: unknown): unknown {
  return { apiVersion: "nuvolaris.org/v1", kind: "Sample", metadata: { name }, spec };
}

Deno.test("under the bare CRD the tutorial's Sample becomes a Deployment that it owns", async () => {
  await kubectl.ok(["apply", "-f", SAMPLE]);
  const deployment = await hasReplicas(2);
  assertEquals(deployment.metadata.ownerReferences?.map(({ name }) => name), ["obj"]);
  assertStringIncludes(JSON.stringify(deployment.spec.template?.spec.containers), "registry.k8s.io/pause:3.10");
  await says("obj", "0 of 2 Pods are available");
});

Deno.test("a changed count scales the Deployment, and events tell of both", async () => {
  const { code, stderr } = await kubectl.apply(sample("obj", { count: 3 }));
  assertEquals(code, 0, stderr);
  await hasReplicas(3);
  await eventually("both are told", async () => (await eventReasons()).join() === "Created,Scaled");
});

Deno.test("what somebody changes by hand is set again", async () => {
  await kubectl.ok(["scale", "deployment", "demo-deploy", "--replicas=7"]);
  await hasReplicas(3);
  await kubectl.ok(["delete", "deployment", "demo-deploy"]);
  await hasReplicas(3);
});

Deno.test("a second Sample of the namespace is denied, and the first is named", async () => {
  const { code, stderr } = await kubectl.apply(sample("second", { count: 1 }));
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Deployment demo-deploy of this namespace belongs to Sample obj");
});

Deno.test("every fault of a spec is denied with its field", async () => {
  for (const [spec, fault] of [[{ count: -1 }, "spec.count: "], [{ count: 1, size: 2 }, "spec.size: "]] as const) {
    const { code, stderr } = await kubectl.apply(sample("obj", spec));
    assertEquals(code, 1);
    assertStringIncludes(stderr, fault);
  }
});

Deno.test("a second Sample that came while nobody admitted is told so, and takes nothing over", async () => {
  await operator.restart(["--no-crds", "--webhooks=off"]);
  await kubectl.apply(sample("second", { count: 1 }));
  const second = await says("second", "belongs to Sample obj");
  assertEquals(
    second.status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`).toSorted(),
    ["Ready=False NameTaken", "Stalled=True NameTaken"],
  );
  assertEquals((await read("deployment", "demo-deploy"))?.spec.replicas, 3);
  await kubectl.ok(["delete", "sample", "second"]);
});

Deno.test("under our CRD the Sample goes on, and with it goes its Deployment", async () => {
  await operator.restart([]);
  // What an API server explains follows a moment behind the definition.
  await eventually("our definition is explained", async () => {
    const { stdout } = await administrator.run(["explain", "sample.spec.count"]);
    return stdout.includes("Replicas of the Deployment demo-deploy");
  });
  await kubectl.ok(["patch", "sample", "obj", "--type=merge", "-p", '{"spec":{"count":0}}']);
  await kubectl.ok(["wait", "--for=condition=Ready", "sample/obj", "--timeout=30s"]);
  await hasReplicas(0);
  await kubectl.ok(["delete", "sample", "obj"]);
  await eventually("the Deployment is gone", async () => await read("deployment", "demo-deploy") === undefined);
});

Deno.test("the operator stops in order", () => operator.close());
