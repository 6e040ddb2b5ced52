import { assertEquals } from "@std/assert";
import type { Database } from "../../crds/database/types.ts";
import { KOPF_FINALIZER, TAKEN_OVER_ANNOTATION } from "../kopf_takeover.ts";
import type { DatabaseContext } from "./context.ts";
import { releaseFromKopf } from "./kopf_marks.ts";

/** Whether kopf's marks are taken from an object that is being deleted. */
async function isReleased(
  { suspend, isOurs }: { readonly suspend: boolean; readonly isOurs: boolean },
): Promise<boolean> {
  const object: Database = {
    apiVersion: "zalando.org/v1",
    kind: "Database",
    metadata: {
      name: "db",
      namespace: "shop",
      uid: "u1",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-31T12:00:00Z",
      deletionTimestamp: "2026-01-31T12:00:01Z",
      finalizers: [KOPF_FINALIZER],
      annotations: isOurs ? { [TAKEN_OVER_ANNOTATION]: "kopf.zalando.org" } : {},
    },
    spec: { type: "postgres", suspend },
  };
  let released = false;
  const removeKopfMarks = () => {
    released = true;
    return Promise.resolve(undefined);
  };
  const context = { objects: { removeKopfMarks } } as unknown as DatabaseContext;
  await releaseFromKopf(object, context, new AbortController().signal);
  return released;
}

Deno.test("releaseFromKopf() leaves the finalizer to an operator that works on the object now, suspended or not", async () => {
  for (const suspend of [true, false]) {
    assertEquals(await isReleased({ suspend, isOurs: true }), false, "kopf came back");
    assertEquals(await isReleased({ suspend, isOurs: false }), true, "kopf is of the past");
  }
});
