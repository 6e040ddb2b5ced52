import { assert, assertEquals, assertRejects } from "@std/assert";
import { isKubeError, type KubeClient, KubeError } from "../../kube/client/client.ts";
import {
  applyCustomResourceDefinition,
  CRDS,
  isServedForDeletionOnly,
  readCustomResourceDefinition,
} from "../../kube/objects/crd.ts";
import { type EventContent, EventRecorder } from "../../kube/objects/event_recorder.ts";
import { addFinalizer, finalizerState, removeFinalizer } from "../../kube/objects/finalizer.ts";
import { memoryLogger, silentLogger } from "../../kube/telemetry/logger.ts";
import type { KubeObject } from "../../kube/object.ts";
import { StatusWriter } from "../../kube/objects/status_writer.ts";
import { systemTiming } from "../../kube/timing.ts";
import { buildWebhookConfigurations, SPEC_CHANGED } from "../../kube/webhook/webhook_configuration.ts";
import {
  applyWebhookConfigurations,
  deleteWebhookConfigurations,
} from "../../kube/webhook/webhook_configuration_writer.ts";
import { eventually } from "../harness/wait.ts";
import { startTestCluster, type TestCluster } from "../harness/kube_cluster.ts";

const { signal } = new AbortController();
const things = { group: "kube-test.example", version: "v1", plural: "things", kind: "Thing", namespaced: true };
const name = "things.kube-test.example";
const reference = { namespace: "default", name: "a" };

function makeCrd(options: { revision: number; status: "subresource" | "field" | "pruned" }) {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name, annotations: { "tablewright.dev/schema-revision": `${options.revision}` } },
    spec: {
      group: "kube-test.example",
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things", singular: "thing" },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: open, ...(options.status === "pruned" ? {} : { status: open }) },
          },
        },
        ...(options.status === "subresource" ? { subresources: { status: {} } } : {}),
      }],
    },
  };
}

function makeThing(spec: unknown) {
  return { apiVersion: "kube-test.example/v1", kind: "Thing", metadata: reference, spec };
}

Deno.test("What kube/ writes, against a real API server", async (t) => {
  const cluster = await startTestCluster();
  try {
    await t.step("a CRD is installed, upgraded, and never downgraded", () => installsCrd(cluster));
    await t.step("who may not read a CRD sees in the discovery that it is going", () => discoversEnd(cluster));
    await t.step(
      "a status settles with the subresource, without it, and when it is pruned",
      () => writesStatus(cluster),
    );
    await t.step("a finalizer holds an object until it is removed", () => holdsObject(cluster));
    await t.step("an Event counts repetitions", () => recordsEvents(cluster));
    await t.step("webhook configurations are accepted, healed and removed", () => configuresWebhooks(cluster));
  } finally {
    await cluster.stop();
  }
});

/** The API server may begin the storage of a kind anew just after it has served it: 429 "storage is (re)initializing". */
async function isListed(client: KubeClient): Promise<void> {
  await eventually("the kind is listed", async () => {
    try {
      return await client.list(things);
    } catch (error) {
      if (isKubeError(error, 429)) return undefined;
      throw error;
    }
  });
}

async function installsCrd({ client }: TestCluster): Promise<void> {
  const context = { client, timing: systemTiming, logger: silentLogger };
  assertEquals(await readCustomResourceDefinition(client, name, signal), undefined);
  assertEquals(
    await applyCustomResourceDefinition(context, makeCrd({ revision: 2, status: "field" }), signal),
    "applied",
  );
  await isListed(client);
  const state = { terminating: false, hasStatusSubresource: false, revision: 2 };
  assertEquals(await readCustomResourceDefinition(client, name, signal), state);
  assertEquals(
    await applyCustomResourceDefinition(context, makeCrd({ revision: 1, status: "subresource" }), signal),
    "kept",
  );
  assertEquals(await readCustomResourceDefinition(client, name, signal), state);

  const invalid = { ...makeCrd({ revision: 3, status: "field" }), spec: {} };
  await assertRejects(() => applyCustomResourceDefinition(context, invalid, signal), KubeError, "is invalid");

  const definitions = {
    ...things,
    group: "apiextensions.k8s.io",
    plural: "customresourcedefinitions",
    namespaced: false,
  };
  await client.delete(definitions, { name });
  assertEquals(
    await applyCustomResourceDefinition(context, makeCrd({ revision: 1, status: "field" }), signal),
    "applied",
  );
  await isListed(client);
}

/** Its objects are marked as deleted in the same moment, and their tables must then be kept. */
async function discoversEnd({ client }: TestCluster): Promise<void> {
  const context = { client, timing: systemTiming, logger: silentLogger };
  const going = { group: "going.example", version: "v1", plural: "goers", kind: "Goer", namespaced: true };
  const crd = makeCrd({ revision: 1, status: "field" });
  const crdName = "goers.going.example";
  await applyCustomResourceDefinition(context, {
    ...crd,
    metadata: { ...crd.metadata, name: crdName },
    spec: { ...crd.spec, group: going.group, names: { plural: going.plural, kind: going.kind } },
  }, signal);
  await eventually("the kind is served", async () => !(await isServedForDeletionOnly(client, going, signal)));
  const metadata = { name: "held", namespace: "default", finalizers: ["going.example/held"] };
  await client.create(going, { apiVersion: "going.example/v1", kind: "Goer", metadata });
  await client.delete(CRDS, { name: crdName });
  const held = { namespace: "default", name: "held" };
  await eventually("its object is being deleted", async () => {
    return (await client.get(going, held)).metadata.deletionTimestamp !== undefined;
  });
  await eventually("the discovery says so", () => isServedForDeletionOnly(client, going, signal));
  await client.patch(going, held, { patch: { kind: "merge", value: { metadata: { finalizers: null } } } });
  await eventually(
    "the kind is gone",
    async () => await readCustomResourceDefinition(client, crdName, signal) === undefined,
  );
  assertEquals(await isServedForDeletionOnly(client, going, signal), true);
}

async function writesStatus({ client }: TestCluster): Promise<void> {
  const context = { client, timing: systemTiming, logger: silentLogger };
  const writer = new StatusWriter({ client, type: things, logger: silentLogger });
  await client.create(things, makeThing({ size: 1 }));
  const read = () => client.get(things, reference);
  const write = async (message: string) => {
    const object = await read();
    const observedGeneration = object.metadata.generation;
    const ready = { type: "Ready", status: "True", observedGeneration };
    return (await writer.write(object, { observedGeneration, message, conditions: [ready] }, signal)).outcome;
  };
  const expectSettled = async () => {
    const { metadata, status } = await read();
    const { observedGeneration, conditions } = status as {
      observedGeneration: number;
      conditions: { observedGeneration: number }[];
    };
    assertEquals([observedGeneration, conditions[0]?.observedGeneration], [metadata.generation, metadata.generation]);
  };
  for (const [revision, status] of [[1, "field"], [2, "subresource"], [3, "field"]] as const) {
    await applyCustomResourceDefinition(context, makeCrd({ revision, status }), signal);
    // The handler of the old CRD serves a moment longer; a writer that meets it must end up right all the same.
    let outcome = await write(`at ${revision}`);
    for (let attempt = 0; outcome !== "unchanged" && attempt < 50; attempt++) {
      await systemTiming.delay(100);
      outcome = await write(`at ${revision}`).catch((error) =>
        isKubeError(error, 409) ? "written" : Promise.reject(error)
      );
    }
    assertEquals(outcome, "unchanged");
    await expectSettled();
  }
  const stale = await read();
  await client.patch(things, reference, { patch: { kind: "merge", value: { spec: { size: 2 } } } });
  const conflict = await writer.write(stale, { message: "late" }, signal).catch((error) => error);
  assert(isKubeError(conflict, 409));

  await applyCustomResourceDefinition(context, makeCrd({ revision: 4, status: "pruned" }), signal);
  let outcome = "";
  for (let attempt = 0; outcome !== "pruned" && attempt < 50; attempt++) {
    await systemTiming.delay(100);
    outcome = await write(`pruned ${attempt}`);
  }
  assertEquals(outcome, "pruned");
  await client.delete(things, reference);
}

async function holdsObject({ client }: TestCluster): Promise<void> {
  const finalizer = "kube-test.example/hold";
  const { object } = await client.create<KubeObject>(things, makeThing({}));
  const held = await addFinalizer(client, { type: things, object, finalizer, signal });
  assertEquals(finalizerState(held, finalizer), "protected");
  const stale = await removeFinalizer(client, {
    type: things,
    object: { ...held, metadata: { ...held.metadata, resourceVersion: "1" } },
    finalizer,
    signal,
  })
    .catch((error) => error);
  assert(isKubeError(stale, 409));

  await client.delete(things, reference);
  const deleting = await client.get(things, reference);
  assertEquals(finalizerState(deleting, finalizer), "cleanup");
  await removeFinalizer(client, { type: things, object: deleting, finalizer, signal });
  assert(isKubeError(await client.get(things, reference).catch((error) => error), 404));
  await removeFinalizer(client, { type: things, object: deleting, finalizer, signal });
}

async function recordsEvents({ client }: TestCluster): Promise<void> {
  const events = { ...things, group: "events.k8s.io", plural: "events" };
  const { object } = await client.create<KubeObject>(things, makeThing({}));
  const logger = memoryLogger();
  const recorder = new EventRecorder({ client, reportingInstance: "test-1", timing: systemTiming, logger });
  const content = { type: "Warning", reason: "Refused", action: "Plan", note: "é".repeat(900) } as const;
  for (let index = 0; index < 3; index++) recorder.record(object, content);
  await recorder.flush();
  const { items } = await client.list<
    KubeObject & { readonly series?: { readonly count: number }; readonly regarding: unknown }
  >(events, {
    namespace: "default",
    fieldSelector: "reason=Refused",
  });
  assertEquals(items.map(({ series }) => series?.count), [3]);
  await repeatsEvents({ recorder, client, object, content });
  assertEquals(logger.entries.filter(({ level }) => level !== "debug"), []);
  await client.delete(things, reference);
}

type EventObject = KubeObject & { readonly note: string; readonly series?: { readonly count: number } };

async function repeatsEvents(
  { recorder, client, object, content }: {
    readonly recorder: EventRecorder;
    readonly client: TestCluster["client"];
    readonly object: KubeObject;
    readonly content: EventContent;
  },
): Promise<void> {
  const events = { ...things, group: "events.k8s.io", plural: "events" };
  const list = async () =>
    (await client.list<EventObject>(events, { namespace: "default", fieldSelector: "reason=Refused" })).items;
  const say = async (each: EventContent = content) => {
    recorder.record(object, each);
    await recorder.flush();
  };
  await say();
  const [counted] = await list();
  assertEquals(counted?.series?.count, 4, "a later repetition counts the Event that is there");

  await client.delete(events, { namespace: "default", name: counted?.metadata.name });
  await say();
  assertEquals((await list()).map(({ series }) => series?.count), [5], "an Event that is gone is written again");

  await say({ ...content, note: "postgres://me:s3cret@db/app" });
  assertEquals((await list()).map(({ note }) => note).filter((note) => note.startsWith("postgres")), [
    "postgres://me:[redacted]@db/app",
  ]);
  for (let index = 0; index < 60; index++) recorder.record(object, { ...content, note: `${index}` });
  await recorder.flush();
  // Of 25 writes one was for the first three, one each for the fourth, the fifth and the next: 21 are left.
  assertEquals((await list()).length, 23);
}

async function configuresWebhooks({ client }: TestCluster): Promise<void> {
  const spec = { matchConditions: [{ name: "spec-changed", expression: SPEC_CHANGED }] };
  const kinds = [{ type: things, mutate: spec, validate: spec, validateDelete: { matchConditions: [] } }];
  const target = { kind: "url", url: "https://127.0.0.1:1" } as const;
  const validating = {
    group: "admissionregistration.k8s.io",
    version: "v1",
    plural: "validatingwebhookconfigurations",
    kind: "ValidatingWebhookConfiguration",
    namespaced: false,
  };
  const read = async () =>
    (await client.get<{ webhooks: { failurePolicy: string; namespaceSelector?: unknown }[] }>(validating, {
      name: "test-instance",
    })).webhooks;
  const common = { instance: "test-instance", kinds, target } as const;
  const apply = (failurePolicy: "Ignore" | "Fail", namespaces: string[]) =>
    applyWebhookConfigurations(client, buildWebhookConfigurations({ ...common, failurePolicy, namespaces }), signal);

  await apply("Ignore", []);
  await client.create(things, makeThing({}));
  await client.delete(things, reference);
  const foreign = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }];
  await client.patch(validating, { name: "test-instance" }, {
    patch: { kind: "json", operations: foreign },
    fieldManager: "somebody",
  });
  await apply("Ignore", ["default"]);
  assertEquals((await read()).map((webhook) => webhook.failurePolicy), ["Ignore", "Ignore"]);
  await apply("Fail", []);
  assertEquals((await read()).map((webhook) => [webhook.failurePolicy, webhook.namespaceSelector]), [["Fail", {}], [
    "Ignore",
    {},
  ]]);
  await deleteWebhookConfigurations(client, "test-instance", signal);
  await deleteWebhookConfigurations(client, "test-instance", signal);
  assert(isKubeError(await client.get(validating, { name: "test-instance" }).catch((error) => error), 404));
}
