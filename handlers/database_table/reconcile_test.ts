import { assertEquals, assertRejects } from "@std/assert";
import type { DatabaseTable } from "../../crds/database_table/types.ts";
import { KubeError } from "../../kube/client/kube_error.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { emptyRelation } from "../../postgres/catalog/relation.ts";
import type { ReconcileContext } from "./context.ts";
import { TableReconciler } from "./reconcile.ts";

const PAUSE = () => () => {};
const OBJECT: DatabaseTable = {
  apiVersion: "kopf.demo/v1",
  kind: "DatabaseTable",
  metadata: {
    name: "a",
    namespace: "b",
    uid: "u",
    generation: 1,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    finalizers: ["kopf.demo/tablewright"],
  },
  spec: { tableName: "t", columns: [{ id: "integer" }], primaryKey: "id" },
};
const MINUTE = 60_000;

/** `wall` is moved by others, `uptime` by none. */
interface Clock {
  wall: number;
  uptime: number;
}

/** A database that holds nothing, not even the schema, and counts how often it is looked at. */
function emptyDatabase(clock: Clock): { context: ReconcileContext; looks(): number } {
  let looks = 0;
  const context = {
    database: {
      transaction: (_options: unknown, work: (transaction: unknown) => Promise<unknown>) => {
        looks++;
        const server = [{ version: 18, taken: null }];
        return work({ query: (text: string) => Promise.resolve(text.includes("AS version") ? server : []) });
      },
    },
    gate: { check: () => Promise.resolve() },
    clusterId: "c",
    objects: { writeStatus: () => Promise.resolve("2") },
    recordEvent() {},
    now: () => new Date(clock.wall),
    timing: { random: () => 0, uptime: () => clock.uptime },
    logger: silentLogger,
  } as unknown as ReconcileContext;
  return { context, looks: () => looks };
}

Deno.test("reconcile() looks again after some minutes at what only others can mend, whatever events come before", async () => {
  const clock = { wall: Date.UTC(2026, 0, 1), uptime: 0 };
  const { context, looks } = emptyDatabase(clock);
  const reconciler = new TableReconciler(context, { isUnchanged: () => Promise.resolve(false) });
  const signal = new AbortController().signal;
  assertEquals([await reconciler.reconcile(OBJECT, signal, PAUSE), looks()], [{ requeueAfterMs: 5 * MINUTE }, 1]);
  // The echo of our own write, which also ends the timer that runs.
  const echo = { ...OBJECT, metadata: { ...OBJECT.metadata, resourceVersion: "2" } };
  clock.uptime += MINUTE;
  // Somebody sets the wall clock back by a year: five minutes are five minutes.
  clock.wall = Date.UTC(2025, 0, 1);
  assertEquals([await reconciler.reconcile(echo, signal, PAUSE), looks()], [{ requeueAfterMs: 4 * MINUTE }, 1]);
  clock.uptime += 4 * MINUTE;
  assertEquals([await reconciler.reconcile(echo, signal, PAUSE), looks()], [{ requeueAfterMs: 5 * MINUTE }, 2]);
});

Deno.test("reconcile() wakes the object that waits for the end of another one, which then looks again at once", async () => {
  const leaving = (name: string, deletionPolicy: string): DatabaseTable => ({
    ...OBJECT,
    metadata: { ...OBJECT.metadata, name, uid: name, deletionTimestamp: "2026-01-02T00:00:00Z" },
    spec: { tableName: name, columns: [{ id: "integer" }], primaryKey: "id", deletionPolicy },
  });
  const key = { schema: "public", table: "orders", name: "orders_fkey" };
  const owner = { clusterId: "c", namespace: "b", name: "orders", uid: "orders", generation: 1 };
  let looks = 0;
  const context = {
    ...emptyDatabase({ wall: 0, uptime: 0 }).context,
    database: {
      transaction: () => {
        looks++;
        return Promise.resolve({ inbound: [{ key, owner }], readers: [] });
      },
    },
    objects: {
      read: (object: DatabaseTable) => Promise.resolve(object),
      kindEnd: { isBehind: () => Promise.resolve(false) },
      isGoing: () => Promise.resolve(false),
      removeFinalizer: () => Promise.resolve(),
      writeStatus: () => Promise.resolve("1"),
    },
  } as unknown as ReconcileContext;
  const reconciler = new TableReconciler(context, { isUnchanged: () => Promise.resolve(false) });
  const { signal } = new AbortController();
  const customers = leaving("customers", "Delete");
  assertEquals([await reconciler.reconcile(customers, signal, PAUSE), looks], [{ requeueAfterMs: 500 }, 1]);
  assertEquals([await reconciler.reconcile(customers, signal, PAUSE), looks], [{ requeueAfterMs: 500 }, 1]);
  assertEquals(await reconciler.reconcile(leaving("orders", "Retain"), signal, PAUSE), { wakes: ["b/customers"] });
  await reconciler.reconcile(customers, signal, PAUSE);
  assertEquals(looks, 2);
});

type End = Record<string, unknown> & { readonly kind: "done" | "postponed" };

/** A database in which each table is absent, and whose transaction comes to what its object is to end with. */
function endingDatabase(clock: Clock) {
  const world = { looks: 0, statuses: [] as (() => Promise<string>)[], ends: [] as End[] };
  const absent = { kind: "absent", schema: { exists: true, mayCreate: true }, targets: new Map(), version: 18 };
  const context = {
    ...emptyDatabase(clock).context,
    database: {
      address: "h:1/shop",
      transaction: ({ readOnly }: { readonly readOnly: boolean }) => {
        if (!readOnly) return Promise.resolve({ kind: "end", outcome: world.ends.shift() });
        world.looks++;
        return Promise.resolve(absent);
      },
    },
    objects: { writeStatus: () => world.statuses.shift()?.() ?? Promise.resolve("1") },
  } as unknown as ReconcileContext;
  const reconciler = new TableReconciler(context, { isUnchanged: () => Promise.resolve(false) });
  const reconcile = (name: string) =>
    reconciler.reconcile(
      // Of which something was told: it is looked at before its transaction.
      { ...OBJECT, metadata: { ...OBJECT.metadata, name, uid: name }, status: {} },
      new AbortController().signal,
      PAUSE,
    );
  return { world, reconciler, reconcile };
}

const CUSTOMERS = emptyRelation("public", "customers");

Deno.test("reconcile() wakes whoever waits for a table also if the status of that table cannot be written", async () => {
  const { world, reconcile } = endingDatabase({ wall: 0, uptime: 0 });
  const made = { kind: "done", adopted: true, relation: CUSTOMERS, waiting: [] } as const;
  const waiting = [{ references: { schema: "public", table: "customers" } }];
  world.ends.push({ ...made, adopted: false, waiting }, made, { ...made, adopted: false });
  assertEquals(await reconcile("orders"), { requeueAfterMs: 500 });
  world.statuses.push(() => Promise.reject(new KubeError("conflict", { status: 409, reason: "Conflict" })));
  await assertRejects(() => reconcile("customers"), KubeError);
  assertEquals(await reconcile("customers"), { wakes: ["b/orders"] });
});

Deno.test("reconcile() looks again at what is postponed when it is brought back", async () => {
  const { world, reconcile } = endingDatabase({ wall: 0, uptime: 0 });
  const postponed = { kind: "postponed", statements: [], created: false, adopted: false } as const;
  world.ends.push(postponed, postponed);
  assertEquals([await reconcile("a"), await reconcile("a")], [{ isPostponed: true }, { isPostponed: true }]);
  assertEquals(world.looks, 2);
});

Deno.test("forget() forgets how long an object waited, also of one that was woken or suspected since", async () => {
  const { world, reconciler, reconcile } = endingDatabase({ wall: 0, uptime: 0 });
  const waiting = [{ references: { schema: "public", table: "customers" } }];
  const waits = { kind: "done", adopted: false, relation: CUSTOMERS, waiting } as const;
  world.ends.push(waits, waits, waits);
  const suspect = () => reconciler.suspect({ ...OBJECT, metadata: { ...OBJECT.metadata, name: "orders" } });
  assertEquals(await reconcile("orders"), { requeueAfterMs: 500 });
  suspect();
  assertEquals(await reconcile("orders"), { requeueAfterMs: 1_000 });
  suspect();
  reconciler.forget("b/orders");
  assertEquals(await reconcile("orders"), { requeueAfterMs: 500 });
});
