import { assertEquals } from "@std/assert";
import { createFakeTiming } from "../../../kube/fake_timing.ts";
import type { Pod } from "../observe/children.ts";
import { PodReplacements } from "./pod_replacements.ts";

function setUp() {
  const timing = createFakeTiming();
  const now = () => new Date(timing.now());
  const replacements = new PodReplacements({ uptime: timing.uptime, now });
  const made = (uid: string): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "shop", name: "db", uid, resourceVersion: "1", creationTimestamp: now().toISOString() },
  });
  return { timing, replacements, made };
}

Deno.test("PodReplacements lets the first Pod that ended go at once, and the next ones after 10 s, 20 s, … 10 min", async () => {
  const { timing, replacements, made } = setUp();
  const waits: number[] = [];
  for (let index = 0; index < 10; index++) {
    const pod = made(`pod-${index}`);
    await timing.tick(100);
    const { waitMs, before } = replacements.next("shop/db", pod);
    assertEquals(before, index);
    waits.push(waitMs / 1_000);
    await timing.tick(waitMs);
    assertEquals(replacements.next("shop/db", pod).waitMs, 0, "its time has come, however often it is asked");
  }
  assertEquals(waits, [0, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
});

Deno.test("PodReplacements names one moment for one Pod, which passes while it is waited for", async () => {
  const { timing, replacements, made } = setUp();
  replacements.next("shop/db", made("first"));
  const second = made("second");
  const { at, waitMs } = replacements.next("shop/db", second);
  await timing.tick(4_000);
  assertEquals([at.toISOString(), waitMs], ["2026-01-01T00:00:10.000Z", 10_000]);
  assertEquals(replacements.next("shop/db", second), { at, waitMs: 6_000, before: 1 });
});

Deno.test("PodReplacements begins again with a Pod that lived for ten minutes, and with another wish", async () => {
  const { timing, replacements, made } = setUp();
  for (const uid of ["a", "b"]) replacements.next("shop/db", made(uid));
  const healthy = made("c");
  await timing.tick(10 * 60_000);
  assertEquals(replacements.next("shop/db", healthy).waitMs, 0);
  assertEquals(replacements.next("shop/db", made("d")).waitMs, 10_000);
  replacements.forget("shop/db");
  assertEquals(replacements.next("shop/db", made("e")).waitMs, 0);
});
