import { assertEquals, assertRejects } from "@std/assert";
import { KubeClient, KubeError } from "../../kube/client/client.ts";
import { LeaderElection } from "../../kube/election/leader_election.ts";
import { claimedSpec, type LeaseClaim, type LeaseSpec, releasedSpec } from "../../kube/election/lease.ts";
import { LEASE, LeaseStore } from "../../kube/election/lease_store.ts";
import type { Leadership } from "../../kube/election/leadership.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { systemTiming, whenAborted } from "../../kube/timing.ts";
import { startTestCluster } from "../harness/kube_cluster.ts";
import { eventually } from "../harness/wait.ts";

const cluster = await startTestCluster();
const call = { timeoutMs: 10_000 };

function storeOf(identity: string, name: string): LeaseStore {
  return new LeaseStore({ client: cluster.client, lease: { namespace: "default", name }, identity });
}

function claimOf(identity: string): LeaseClaim {
  return { identity, durationMs: 15_000, now: Date.now() };
}

function claim(identity: string): LeaseSpec {
  return claimedSpec(undefined, claimOf(identity));
}

async function status(work: () => Promise<unknown>): Promise<number> {
  return (await assertRejects(work, KubeError) as KubeError).status;
}

Deno.test("of ten that create the Lease at once, one does; of ten that replace it at once, one does", async () => {
  const stores = Array.from({ length: 10 }, (_, index) => storeOf(`process-${index}`, "race"));
  assertEquals(await stores[0]?.read(call), undefined);
  const made = await Promise.allSettled(stores.map((store, index) => store.create(claim(`process-${index}`), call)));
  const winners = made.filter((each) => each.status === "fulfilled");
  assertEquals(winners.length, 1);
  const before = await stores[0]?.read(call);
  if (before === undefined) throw new Error("the Lease is there");
  const replaced = await Promise.allSettled(
    stores.map((store, index) => store.replace(before, claim(`process-${index}`), call)),
  );
  assertEquals(replaced.filter((each) => each.status === "fulfilled").length, 1);
  assertEquals(await status(() => storeOf("late", "race").replace(before, claim("late"), call)), 409);
  assertEquals(await status(() => storeOf("late", "race").create(claim("late"), call)), 409);
});

Deno.test("the watch tells renewals, the release and the end of the Lease", async () => {
  const store = storeOf("watched", "watched");
  const first = await store.create(claim("watched"), call);
  const stop = new AbortController();
  const seen = store.changes(first, stop.signal);
  const renewed = await store.replace(first, claimedSpec(first.spec, claimOf("watched")), call);
  await store.replace(renewed, releasedSpec(renewed.spec, Date.now()), call);
  await cluster.client.delete(LEASE, { namespace: "default", name: "watched" });
  const holders = [];
  for (let index = 0; index < 3; index++) holders.push((await seen.next()).value?.spec.holderIdentity);
  assertEquals(holders, ["watched", "", undefined]);
  const ended = assertRejects(async () => await seen.next());
  stop.abort();
  await ended;
});

Deno.test("in an outage of the API server a leader steps down in time, and one leads again afterwards", async () => {
  const stop = new AbortController();
  const terms: Leadership[] = [];
  const client = new KubeClient(cluster.config);
  const elections = ["one", "two"].map((identity) =>
    new LeaderElection({
      store: new LeaseStore({ client, lease: { namespace: "default", name: "outage" }, identity }),
      identity,
      timing: systemTiming,
      uptime: () => performance.now(),
      logger: silentLogger,
      durations: { leaseMs: 6_000, renewMs: 4_000, retryMs: 500 },
    })
  );
  const leaders = () => elections.filter(({ isLeading }) => isLeading).length;
  const running = elections.map((each) =>
    each.run(async (leadership) => {
      terms.push(leadership);
      assertEquals(leaders(), 1);
      await whenAborted(leadership.signal);
    }, stop.signal)
  );
  await eventually("one leads", () => leaders() === 1);
  await cluster.stopApiServer();
  // Whether one leads is asked of the clock; that it is told so comes a moment later.
  await eventually("nobody leads", () => leaders() === 0 && terms[0]?.lost.aborted === true);
  assertEquals(terms.length, 1);
  await cluster.startApiServer();
  await eventually("one leads again", () => leaders() === 1);
  stop.abort();
  await Promise.all(running);
  assertEquals((await storeOf("reader", "outage").read(call))?.spec.holderIdentity, "");
  client.close();
});

Deno.test("the cluster of this file stops", async () => {
  await cluster.stop();
});
