import { assertEquals, assertRejects } from "@std/assert";
import { KubeError } from "../client/client.ts";
import { addFinalizer, finalizerState, removeFinalizer } from "./finalizer.ts";
import type { KubeObject } from "../object.ts";

const type = { group: "g", version: "v1", plural: "things", kind: "Thing", namespaced: true };
const finalizer = "example.test/mine";
const signal = new AbortController().signal;

function makeThing(finalizers: readonly string[] | undefined, deleting: "deleting" | "live"): KubeObject {
  return {
    apiVersion: "g/v1",
    kind: "Thing",
    metadata: {
      name: "a",
      namespace: "default",
      uid: "u",
      resourceVersion: "7",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(deleting === "deleting" ? { deletionTimestamp: "2026-01-01T00:00:01Z" } : {}),
    },
  };
}

/** Remembers patches and answers as told. */
function fakeClient(answer?: Error) {
  const patches: unknown[] = [];
  const patch = async <T>(_type: unknown, reference: unknown, options: { readonly patch: unknown }) => {
    patches.push([reference, options.patch]);
    if (answer !== undefined) throw answer;
    return { object: {} as T, warnings: [] };
  };
  return { patch, patches };
}

Deno.test("finalizerState() names the four cases", () => {
  assertEquals(finalizerState(makeThing(undefined, "live"), finalizer), "unprotected");
  assertEquals(finalizerState(makeThing(["other/x"], "live"), finalizer), "unprotected");
  assertEquals(finalizerState(makeThing([finalizer], "live"), finalizer), "protected");
  assertEquals(finalizerState(makeThing(["other/x", finalizer], "deleting"), finalizer), "cleanup");
  assertEquals(finalizerState(makeThing(["other/x"], "deleting"), finalizer), "released");
});

Deno.test("addFinalizer() keeps the finalizers of others and writes under the version that was read", async () => {
  const client = fakeClient();
  await addFinalizer(client, { type, object: makeThing(["other/x"], "live"), finalizer, signal });
  assertEquals(client.patches, [[
    { namespace: "default", name: "a" },
    { kind: "merge", value: { metadata: { uid: "u", resourceVersion: "7", finalizers: ["other/x", finalizer] } } },
  ]]);
});

Deno.test("addFinalizer() writes nothing when it is there and refuses a terminating object", async () => {
  const client = fakeClient();
  await addFinalizer(client, { type, object: makeThing([finalizer], "live"), finalizer, signal });
  await assertRejects(
    () => addFinalizer(client, { type, object: makeThing([], "deleting"), finalizer, signal }),
    TypeError,
    'Cannot add the finalizer example.test/mine: "a" is being deleted',
  );
  assertEquals(client.patches, []);
});

Deno.test("removeFinalizer() takes only its own finalizer, and a gone object for success", async () => {
  const object = makeThing(["other/x", finalizer], "deleting");
  const client = fakeClient(new KubeError("not found", { status: 404, reason: "NotFound" }));
  await removeFinalizer(client, { type, object, finalizer, signal });
  assertEquals(client.patches, [[
    { namespace: "default", name: "a" },
    { kind: "merge", value: { metadata: { uid: "u", resourceVersion: "7", finalizers: ["other/x"] } } },
  ]]);
  await removeFinalizer(client, { type, object: makeThing([], "deleting"), finalizer, signal });
  assertEquals(client.patches.length, 1);
});

Deno.test("removeFinalizer() lets a conflict through, so that the object is read again", async () => {
  const client = fakeClient(new KubeError("modified", { status: 409, reason: "Conflict" }));
  const object = makeThing([finalizer], "deleting");
  await assertRejects(() => removeFinalizer(client, { type, object, finalizer, signal }), KubeError, "modified");
});
