import { assertEquals } from "@std/assert";
import { claimedSpec, observeLease, releasedSpec, takeableInMs } from "./lease.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const ours = { identity: "us", durationMs: 15_000, now: NOW };

Deno.test("a lease is observed by its version: what its holder's clock says counts for nothing", () => {
  const spec = { holderIdentity: "them", leaseDurationSeconds: 15, renewTime: "1999-01-01T00:00:00.000000Z" };
  const first = observeLease(undefined, { resourceVersion: "1", spec }, 1_000);
  const same = observeLease(first, { resourceVersion: "1", spec }, 9_000);
  assertEquals([first.changedAt, same.changedAt], [1_000, 1_000]);
  assertEquals(takeableInMs(same, ours, 15_999), 1);
  assertEquals(takeableInMs(same, ours, 16_000), 0);
  const renewed = observeLease(same, { resourceVersion: "2", spec }, 15_999);
  assertEquals(takeableInMs(renewed, ours, 30_998), 1);
});

Deno.test("a lease without a holder, or with us as its holder, may be taken at once", () => {
  for (const holderIdentity of [undefined, null, "", "us"]) {
    const spec = holderIdentity === undefined ? {} : { holderIdentity };
    assertEquals(takeableInMs({ resourceVersion: "1", spec, changedAt: 0 }, ours, 0), 0, String(holderIdentity));
  }
});

Deno.test("a holder that named no length gets ours", () => {
  for (const leaseDurationSeconds of [0, -5, null]) {
    const lease = { resourceVersion: "1", spec: { holderIdentity: "them", leaseDurationSeconds }, changedAt: 0 };
    assertEquals([takeableInMs(lease, ours, 14_999), takeableInMs(lease, ours, 15_000)], [1, 0]);
  }
});

Deno.test("claimedSpec() keeps the time of the first claim and counts only changes of the holder", () => {
  const first = claimedSpec(undefined, ours);
  assertEquals(first, {
    holderIdentity: "us",
    leaseDurationSeconds: 15,
    acquireTime: "2026-01-01T00:00:00.000000Z",
    renewTime: "2026-01-01T00:00:00.000000Z",
    leaseTransitions: 0,
  });
  const renewed = claimedSpec(first, { ...ours, now: NOW + 2_000 });
  assertEquals(renewed, { ...first, renewTime: "2026-01-01T00:00:02.000000Z" });
  const released = releasedSpec(renewed, NOW + 3_000);
  assertEquals([released.holderIdentity, released.leaseTransitions], ["", 0]);
  const theirs = claimedSpec(released, { ...ours, identity: "them", now: NOW + 4_000 });
  assertEquals([theirs.leaseTransitions, theirs.acquireTime], [1, "2026-01-01T00:00:04.000000Z"]);
});
