import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../kube/fake_timing.ts";
import { silentLogger } from "../kube/telemetry/logger.ts";
import { type OwnedObjectsOptions, OwnerIndex, watchOwned } from "./owned_objects.ts";

Deno.test("OwnerIndex tells the owner of an object that appears, changes and goes", () => {
  const owners = new OwnerIndex();
  assertEquals(owners.update("shop/db", "shop/db"), ["shop/db"]);
  assertEquals(owners.update("shop/db", "shop/db"), ["shop/db"]);
  assertEquals(owners.update("shop/db", undefined), ["shop/db"]);
  assertEquals(owners.update("shop/db", undefined), []);
});

Deno.test("OwnerIndex tells both owners of an object that changes hands", () => {
  const owners = new OwnerIndex();
  owners.update("shop/db", "shop/first");
  assertEquals(owners.update("shop/db", "shop/second"), ["shop/first", "shop/second"]);
});

Deno.test("watchOwned() tells what happened to an object of an owner from what was there before us", async () => {
  const pod = (version: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "shop", name: "db", uid: "p", resourceVersion: version, creationTimestamp: "" },
  });
  const stop = new AbortController();
  const page = { items: [pod("1")], resourceVersion: "1" };
  const client = {
    list: () => Promise.resolve(page),
    async *watch() {
      yield { type: "MODIFIED", object: pod("2") };
      stop.abort();
    },
  } as unknown as OwnedObjectsOptions["client"];
  const told: string[] = [];
  const resource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };
  const [owned] = watchOwned([{ resource, labelSelector: "", ownerKey: ({ metadata }) => `shop/${metadata.name}` }], {
    client,
    namespaces: [],
    timing: createFakeTiming(),
    logger: silentLogger,
    enqueue: (key, change) => told.push(`${key} ${change}`),
  });
  await owned?.informer.run(stop.signal);
  assertEquals([owned?.name, told], ["pod", ["shop/db other", "shop/db owned"]]);
});
