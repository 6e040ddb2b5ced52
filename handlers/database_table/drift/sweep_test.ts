import { assertEquals } from "@std/assert";
import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import type { Logger } from "../../../kube/telemetry/logger.ts";
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
    timing: { uptime: () => 0, random: () => 0, delay: () => Promise.resolve() },
    logger: silent,
  });
  const waits = sweep.isUnchanged(TABLE, "hash", new AbortController().signal);
  const objects = { get: () => TABLE, whenSynced: () => Promise.resolve(), suspect() {} };
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
    timing,
    logger: silent,
  });
  const objects = { get: () => TABLE, whenSynced: () => new Promise<void>(() => {}), suspect() {} };
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
