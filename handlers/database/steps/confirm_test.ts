import { assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../../crds/database/types.ts";
import { isKubeError, KubeError } from "../../../kube/client/client.ts";
import type { DatabaseObjects } from "../objects.ts";
import { confirmation } from "./confirm.ts";

const OBJECT = { metadata: { namespace: "shop", name: "db", uid: "u1" }, spec: {} } as unknown as Database;

function start(metadata: Readonly<Record<string, unknown>> | undefined) {
  let asked = 0;
  const read = (() => {
    asked++;
    return Promise.resolve(metadata === undefined ? undefined : { metadata });
  }) as DatabaseObjects["read"];
  return { confirm: confirmation({ read }, OBJECT, new AbortController().signal), asked: () => asked };
}

Deno.test("an object that is still there is asked for once, and only if something is to be made", async () => {
  const { confirm, asked } = start(OBJECT.metadata as unknown as Record<string, unknown>);
  assertEquals(asked(), 0);
  await confirm();
  await confirm();
  assertEquals(asked(), 1);
});

Deno.test("nothing is made for an object that is gone, is going, or is another one of its name", async () => {
  const going = { namespace: "shop", name: "db", uid: "u1", deletionTimestamp: "2026-01-01T00:00:00Z" };
  for (const found of [undefined, going, { namespace: "shop", name: "db", uid: "u2" }]) {
    const error = await assertRejects(() => start(found).confirm(), KubeError, "is gone: nothing is made for it");
    assertEquals(isKubeError(error, 404), true);
  }
});
