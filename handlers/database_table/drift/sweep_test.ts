import { assertEquals } from "@std/assert";
import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import type { Logger } from "../../../kube/telemetry/logger.ts";
import { whenAborted } from "../../../kube/timing.ts";
import type { Database } from "../../../postgres/session/client.ts";
import { createFakeTiming } from "../../../kube/fake_timing.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import { DatabaseSweep } from "./sweep.ts";

const TABLE: DatabaseTable = {
  apiVersion: "kopf.demo/v1",
  kind: "DatabaseTable",
  metadata: { name: "orders", namespace: "shop", uid: "u", generation: 1, resourceVersion: "1", creationTimestamp: "" },
};
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

Deno.test("a sweep that is stopped while it connects says nothing of the database to those who wait for it", async () => {
  const database: Database = {
    address: "127.0.0.1:1/nowhere",
    transaction: () => Promise.reject(new PostgresError("nobody asks", { kind: "bug" })),
    concurrently: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
  const stop = new AbortController();
  const sweep = new DatabaseSweep({
    database,
    gate: {
      check: () => {
        stop.abort();
        return Promise.reject(new PostgresError("Cannot connect: the signal has been aborted", { kind: "retry" }));
      },
    },
    clusterId: "c",
    allowedFunctions: new Set(),
    sweepIntervalMs: 30_000,
    onBack() {},
    timing: { uptime: () => 0, random: () => 0, delay: () => Promise.resolve() },
    logger: silent,
  });
  const waits = sweep.isUnchanged(TABLE, "hash", new AbortController().signal);
  const objects = { get: () => TABLE, all: () => [TABLE], whenSynced: () => Promise.resolve(), suspect() {} };
  await sweep.run(objects, stop.signal);
  assertEquals(await waits, false);
});

Deno.test("a first look waits 10 s for objects that cannot be listed, and not for ever: the workers wait behind it", async () => {
  const timing = createFakeTiming();
  const stop = new AbortController();
  const asked: number[] = [];
  const fault = new PostgresError("Cannot connect", { kind: "retry" });
  const sweep = new DatabaseSweep({
    database: {
      address: "127.0.0.1:1/nowhere",
      transaction: () => Promise.reject(fault),
      concurrently: () => Promise.resolve(false),
      close: () => Promise.resolve(),
    },
    gate: { check: () => (asked.push(timing.uptime()), Promise.reject(fault)) },
    clusterId: "c",
    allowedFunctions: new Set(),
    sweepIntervalMs: 30_000,
    onBack() {},
    timing,
    logger: silent,
  });
  const objects = { get: () => TABLE, all: () => [TABLE], whenSynced: () => new Promise<void>(() => {}), suspect() {} };
  const running = sweep.run(objects, stop.signal);
  const waits = sweep.isUnchanged(TABLE, "hash", new AbortController().signal).catch((error) => error);
  await timing.tick(9_999);
  assertEquals(asked, []);
  await timing.tick(1);
  assertEquals([asked, await waits], [[10_000], fault]);
  const again = sweep.isUnchanged(TABLE, "hash", new AbortController().signal).catch((error) => error);
  await timing.tick(0);
  assertEquals([asked.length, await again], [2, fault], "its patience is over for good");
  stop.abort();
  await running;
  assertEquals(timing.pending(), 0);
});

const APPLIED = "the hash of its spec";

/** A table whose status says that its spec is reached. */
const READY: DatabaseTable = {
  ...TABLE,
  status: {
    observedGeneration: 1,
    applied: { hash: APPLIED, time: "2026-01-01T00:00:00Z" },
    conditions: [
      { type: "Ready", status: "True", reason: "", message: "", observedGeneration: 1, lastTransitionTime: "" },
    ],
  },
};

/** What the second look at a registry suspects that agrees with its catalog. */
async function suspectsOf(
  object: DatabaseTable,
  rows: readonly { readonly hash: string }[],
): Promise<readonly string[]> {
  const stop = new AbortController();
  let tellBack = () => {};
  const recorded = rows.map((row) => ({ uid: object.metadata.uid, generation: "1", bound: true, ...row }));
  const query = (text: string) => Promise.resolve(text.includes("spec_hash AS hash") ? recorded : []);
  let looks = 0;
  const database = {
    address: "",
    transaction: (_: unknown, work: (transaction: unknown) => Promise<unknown>) => {
      looks++;
      return work({ query });
    },
    concurrently: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  } as unknown as Database;
  const suspects: string[] = [];
  const sweep = new DatabaseSweep({
    ...{ database, gate: { check: () => Promise.resolve() }, clusterId: "c", allowedFunctions: new Set<string>() },
    sweepIntervalMs: 30_000,
    onBack: (listener) => tellBack = listener,
    timing: {
      uptime: () => 0,
      random: () => 0,
      delay: (_, signal) => {
        // Behind the first look the database comes back, behind the second everything ends.
        queueMicrotask(() => looks < 2 ? tellBack() : stop.abort());
        return whenAborted(signal ?? stop.signal);
      },
    },
    logger: silent,
  });
  await sweep.run({
    get: () => object,
    all: () => [object],
    whenSynced: () => Promise.resolve(),
    suspect: ({ metadata }) => void suspects.push(metadata.name),
  }, stop.signal);
  assertEquals(looks, 2);
  return suspects;
}

Deno.test("a sweep behind an outage suspects what the registry has forgotten together with the catalog", async () => {
  assertEquals(await suspectsOf(READY, [{ hash: APPLIED }]), []);
  assertEquals(await suspectsOf(READY, []), ["orders"]);
  assertEquals(await suspectsOf(READY, [{ hash: "that of an earlier spec" }]), ["orders"]);
});

Deno.test("a sweep suspects nothing of what was never said to be reached, or is not ours to touch", async () => {
  assertEquals(await suspectsOf(TABLE, []), []);
  assertEquals(await suspectsOf({ ...READY, spec: { suspend: true } }, []), []);
  const going = { ...READY.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  assertEquals(await suspectsOf({ ...READY, metadata: going }, []), []);
});
