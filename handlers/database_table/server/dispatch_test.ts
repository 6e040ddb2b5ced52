import { assertEquals } from "@std/assert";
import { type DatabaseTable, FINALIZER } from "../../../crds/database_table/types.ts";
import { silentLogger } from "../../../kube/telemetry/logger.ts";
import { whenAborted } from "../../../kube/timing.ts";
import type { AdmissionContext } from "../admit.ts";
import type { TableReconciler } from "../reconcile.ts";
import { TableDispatch } from "./dispatch.ts";
import type { ServedDatabase, ServingContext } from "./served_database.ts";
import type { ServedDatabases } from "./served_databases.ts";
import { ServerTurns } from "./server_turns.ts";
import { DatabaseUnusable, type Unavailability } from "./unavailable.ts";

const PAUSE = () => () => {};
const { signal } = new AbortController();

function table(deletionTimestamp?: string, name = "later"): DatabaseTable {
  return {
    apiVersion: "kopf.demo/v1",
    kind: "DatabaseTable",
    metadata: {
      name,
      namespace: "shop",
      uid: "u",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      finalizers: [FINALIZER],
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: { tableName: "t", columns: [{ id: "integer" }], primaryKey: "id", databaseRef: { name: "orders" } },
  };
}

/** A server that is always unusable for the same reason, or one that serves, and what was done to the object. */
function setUp() {
  const world = {
    kind: "waiting" as Unavailability["kind"],
    done: [] as string[],
    servers: [] as ServedDatabase[],
    server: undefined as ServedDatabase | undefined,
  };
  const databases = {
    hold() {},
    forget() {},
    get servers() {
      return world.servers;
    },
    bringBack: (key: string) => void world.done.push(`back ${key}`),
    find: () => {
      if (world.server !== undefined) return Promise.resolve({ kind: "served", server: world.server });
      const error = new DatabaseUnusable({ kind: world.kind, reason: "R", message: "m", path: "spec.databaseRef" });
      return Promise.resolve({ kind: "unusable", error });
    },
  } as unknown as ServedDatabases;
  const serving = {
    objects: {
      read: (object: DatabaseTable) => Promise.resolve(object),
      kindEnd: { see() {}, forget() {}, isBehind: () => Promise.resolve(false) },
      writeStatus: () => Promise.resolve("2"),
      removeFinalizer: () => Promise.resolve(void world.done.push("released")),
    },
    recordEvent: (_object: unknown, { reason }: { reason: string }) => void world.done.push(reason),
    now: () => new Date(0),
    clusterId: "c",
    logger: silentLogger,
    timing: { random: () => 0, uptime: () => 0 },
    allowedFunctions: new Set(),
    fence: {},
    allowSuperuser: false,
  } as unknown as ServingContext;
  return { world, dispatch: new TableDispatch(databases, serving, {} as AdmissionContext) };
}

Deno.test("reconcile() looks again and again whether the server of an object that goes away is usable or gone, ever more seldom", async () => {
  const { world, dispatch } = setUp();
  const going = table("2026-01-02T00:00:00Z");
  const waits: unknown[] = [];
  for (let look = 0; look < 9; look++) waits.push((await dispatch.reconcile(going, signal, PAUSE)).requeueAfterMs);
  assertEquals(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  assertEquals(world.done.includes("released"), false);
  world.kind = "gone";
  world.done.length = 0;
  assertEquals(await dispatch.reconcile(going, signal, PAUSE), {});
  assertEquals(world.done, ["TableReleased", "released"]);
});

Deno.test("reconcile() leaves a living object to whoever finds that its server can be used", async () => {
  const { dispatch } = setUp();
  assertEquals(await dispatch.reconcile(table(), signal, PAUSE), { requeueAfterMs: 300_000 });
});

/** A server with so many turns, and what each reconcile of an object on it ends with. */
function serverOf(atOnce: number, reconcile: TableReconciler["reconcile"]): ServedDatabase {
  const reconciler = { reconcile, forget() {} };
  return { turns: new ServerTurns({ atOnce }), reconciler } as unknown as ServedDatabase;
}

for (const leaves of ["is gone", "is on another server now"]) {
  Deno.test(`the turn of an object that ${leaves} is offered to the next one`, async () => {
    const { world, dispatch } = setUp();
    const ends: (() => void)[] = [];
    const busy = serverOf(2, () => new Promise((resolve) => ends.push(() => resolve({}))));
    Object.assign(world, { servers: [busy], server: busy });
    const reconcile = (name: string) => dispatch.reconcile(table(undefined, name), signal, PAUSE);
    const [first, second] = [reconcile("a"), reconcile("b")];
    const postponed = { isPostponed: true };
    assertEquals(await Promise.all([reconcile("c"), reconcile("d")]), [postponed, postponed]);
    ends[0]?.();
    await first;
    assertEquals(world.done.splice(0), ["back shop/c"]);
    if (leaves === "is gone") {
      dispatch.forget("shop/c");
    } else {
      world.server = serverOf(1, () => Promise.resolve({}));
      await reconcile("c");
    }
    assertEquals(world.done, ["back shop/d"]);
    ends[1]?.();
    await second;
  });
}

const NEWER: Readonly<Record<string, Partial<DatabaseTable["metadata"]>>> = {
  "is corrected": { generation: 2 },
  "is deleted": { deletionTimestamp: "2026-01-02T00:00:00Z" },
  "is another one": { uid: "v" },
};

for (const [happens, metadata] of Object.entries(NEWER)) {
  for (const when of ["before", "while"]) {
    Deno.test(`an endless build is stopped when its object ${happens} ${when} it runs, without a failure`, async () => {
      const { world, dispatch } = setUp();
      const object = table();
      const see = () => dispatch.see({ ...object, metadata: { ...object.metadata, ...metadata } });
      world.server = serverOf(1, async (_object, within, pause) => {
        if (when === "before") see();
        const resume = pause(Infinity);
        const stopped = whenAborted(within);
        if (when === "while") see();
        await stopped;
        resume?.();
        throw new Error("stopped");
      });
      assertEquals(await dispatch.reconcile(object, signal, PAUSE), {});
    });
  }
}

Deno.test("what is limited, or is for the same version, goes on whatever comes", async () => {
  const { world, dispatch } = setUp();
  const object = table();
  const echo = { ...object, metadata: { ...object.metadata, resourceVersion: "2" } };
  const aborted: boolean[] = [];
  world.server = serverOf(1, (_object, within, pause) => {
    for (const [longestMs, seen] of [[Infinity, echo], [60_000, table("2026-01-02T00:00:00Z")]] as const) {
      const resume = pause(longestMs);
      dispatch.see(seen);
      aborted.push(within.aborted);
      resume?.();
    }
    return Promise.resolve({ requeueAfterMs: 1 });
  });
  assertEquals(await dispatch.reconcile(object, signal, PAUSE), { requeueAfterMs: 1 });
  assertEquals(aborted, [false, false]);
});
