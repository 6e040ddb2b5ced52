import { assertEquals } from "@std/assert";
import { hasKopfMarks, KOPF_FINALIZER, kopfState, removeKopfMarks, TAKEN_OVER_ANNOTATION } from "./kopf_takeover.ts";

const FINALIZER = { finalizers: [KOPF_FINALIZER] };
const ANNOTATION = { annotations: { "kopf.zalando.org/last-handled-configuration": "{}" } };

Deno.test("kopfState() tells an object that kopf had from one that it works on now", () => {
  assertEquals(
    kopfState({ finalizers: ["kopf.demo/tablewright"], annotations: { a: "kopf.zalando.org/" } }, true),
    "None",
  );
  for (const marked of [FINALIZER, ANNOTATION]) {
    assertEquals(hasKopfMarks(marked), true);
    assertEquals(kopfState(marked, false), "Former");
    assertEquals(kopfState(marked, true), "Active");
    assertEquals(
      kopfState({ ...marked, annotations: { ...ANNOTATION.annotations, [TAKEN_OVER_ANNOTATION]: "x" } }, false),
      "Active",
    );
  }
});

Deno.test("removeKopfMarks() is one write under the version that was read, for an object of any kind", async () => {
  const metadata = { name: "a", namespace: "b", uid: "u", resourceVersion: "7", creationTimestamp: "", ...ANNOTATION };
  const object = {
    apiVersion: "zalando.org/v1",
    kind: "Database",
    metadata: { ...metadata, finalizers: ["x", KOPF_FINALIZER] },
  };
  const type = { group: "zalando.org", version: "v1", plural: "databases", kind: "Database", namespaced: true };
  const written: unknown[] = [];
  const client = {
    patch(_type: unknown, _reference: unknown, options: { readonly patch: { readonly value: unknown } }) {
      written.push(options.patch.value);
      return Promise.resolve({ object });
    },
  };
  const { signal } = new AbortController();
  await removeKopfMarks(client as unknown as Parameters<typeof removeKopfMarks>[0], { type, object, signal });
  assertEquals(written, [{
    metadata: {
      uid: "u",
      resourceVersion: "7",
      annotations: { "kopf.zalando.org/last-handled-configuration": null, [TAKEN_OVER_ANNOTATION]: "kopf.zalando.org" },
      finalizers: ["x"],
    },
  }]);
});
