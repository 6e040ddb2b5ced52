import { assertEquals } from "@std/assert";
import type { KubeObject } from "../../../kube/object.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import type { ServerConnection } from "./connection_secret.ts";
import type { ServedDatabase } from "./served_database.ts";
import { type Asker, type Found, ServedDatabases } from "./served_databases.ts";
import type { Resolution } from "./server_directory.ts";

const { signal } = new AbortController();
const MINUTE = 60_000;

/** Servers that are only opened, closed and swept, with a directory and a clock of the test's. */
class World {
  now = 0;
  resolution: Resolution = { kind: "found", connection: { url: "postgres://a:one@h/db" } };
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly faults = new Map<string, string>();
  #wake = Promise.withResolvers<void>();
  readonly databases: ServedDatabases;

  constructor() {
    this.databases = new ServedDatabases({
      fallback: undefined,
      directory: {
        resolve: () => {
          this.log.push("resolve");
          return Promise.resolve(this.resolution);
        },
      },
      open: (_reference, connection) => this.#open(connection),
      timing: { uptime: () => this.now, delay: (_ms, aborted) => this.#untilWoken(aborted) },
    });
  }

  #open({ url }: ServerConnection): ServedDatabase {
    if (!url.startsWith("postgres://")) throw new PostgresError("Cannot use the database URL", { kind: "condition" });
    const password = new URL(url).password;
    this.log.push(`open ${password}`);
    const { faults } = this;
    return {
      name: "Secret shop/s",
      recovery: {
        get fault() {
          return faults.get(password);
        },
        defer: (error: unknown) => faults.has(password) ? new Error("deferred") : error,
      },
      turns: { whenMet: () => Promise.resolve() },
      sweep: {
        run: async (_objects: unknown, until: AbortSignal) => {
          this.log.push(`sweep ${password}`);
          await new Promise((resolve) => until.addEventListener("abort", resolve, { once: true }));
          this.log.push(`swept ${password}`);
        },
      },
      [Symbol.asyncDispose]: () => {
        this.log.push(`close ${password}`);
        return Promise.resolve();
      },
    } as unknown as ServedDatabase;
  }

  #untilWoken(aborted: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      aborted?.addEventListener("abort", () => reject(aborted.reason), { once: true });
      this.#wake.promise.then(resolve);
    });
  }

  /** Lets one look at the servers happen, and what follows from it. */
  async look(afterMs: number): Promise<void> {
    this.now += afterMs;
    const wake = this.#wake;
    this.#wake = Promise.withResolvers();
    wake.resolve();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }

  taken(): readonly string[] {
    return this.log.splice(0);
  }
}

const ASKER: Asker = {
  reference: { kind: "Secret", namespace: "shop", name: "s", key: undefined },
  namespace: "shop",
};

function passwordOf(found: Found): string {
  return found.kind === "served" ? "served" : found.error.why.reason;
}

Deno.test("find() opens a server once, believes what it knows for a minute, and opens it again when the Secret changed", async () => {
  const world = new World();
  world.databases.hold("shop/a", ASKER);
  const first = await world.databases.find(ASKER, { signal });
  assertEquals(passwordOf(first), "served");
  assertEquals(await world.databases.find(ASKER, { signal }), first);
  assertEquals(world.taken(), ["resolve", "open one"]);
  world.resolution = { kind: "found", connection: { url: "postgres://a:two@h/db" } };
  world.now += MINUTE;
  await world.databases.find(ASKER, { signal });
  assertEquals(world.taken(), ["resolve", "open two", "close one"]);
});

Deno.test("forget() closes a server that no object names any more", async () => {
  const world = new World();
  for (const key of ["shop/a", "shop/b"]) world.databases.hold(key, ASKER);
  await world.databases.find(ASKER, { signal });
  world.databases.forget("shop/a");
  assertEquals(world.taken(), ["resolve", "open one"]);
  world.databases.forget("shop/b");
  assertEquals(world.taken(), ["close one"]);
  assertEquals(world.databases.servers, []);
});

Deno.test("find() closes what only reviews have asked for, a minute later", async () => {
  const world = new World();
  await world.databases.find(ASKER, { signal });
  world.now += MINUTE + 1;
  const other: Asker = { ...ASKER, reference: { kind: "Secret", namespace: "shop", name: "t", key: undefined } };
  world.resolution = { kind: "waiting", reason: "SecretNotFound", message: "no", path: "p" };
  assertEquals(passwordOf(await world.databases.find(other, { signal })), "SecretNotFound");
  assertEquals(world.taken(), ["resolve", "open one", "close one", "resolve"]);
});

Deno.test("tend() sweeps what objects use, and brings them back when what they wait for has come", async () => {
  const world = new World();
  const stop = new AbortController();
  const enqueued: string[] = [];
  const objects = {
    get: (): KubeObject | undefined => undefined,
    keys: () => [],
    whenSynced: () => Promise.resolve(),
    enqueue: (key: string) => void enqueued.push(key),
  };
  const { resolution } = world;
  world.resolution = { kind: "waiting", reason: "SecretNotFound", message: "no", path: "p" };
  const tending = world.databases.tend(objects, stop.signal);
  world.databases.hold("shop/a", ASKER);
  await world.databases.find(ASKER, { signal });
  await world.look(1_000);
  await world.look(2_000);
  assertEquals([world.taken(), enqueued], [["resolve", "resolve"], []]);
  world.resolution = resolution;
  await world.look(2_000);
  assertEquals([world.taken(), enqueued], [["resolve", "open one", "sweep one"], ["shop/a"]]);
  await world.look(2_000);
  assertEquals(world.taken(), []);
  world.faults.set("one", "password authentication failed");
  world.resolution = { kind: "found", connection: { url: "postgres://a:two@h/db" } };
  await world.look(2_000);
  assertEquals(world.taken(), ["resolve", "open two", "close one", "swept one", "sweep two"]);
  assertEquals(enqueued, ["shop/a", "shop/a"]);
  stop.abort();
  await tending;
  assertEquals(world.taken(), ["swept two"]);
});

Deno.test("serves() brings back at once what waits for that Database, and nothing else", async () => {
  const world = new World();
  const stop = new AbortController();
  const enqueued: string[] = [];
  const objects = {
    get: (): KubeObject | undefined => undefined,
    keys: () => [],
    whenSynced: () => Promise.resolve(),
    enqueue: (key: string) => void enqueued.push(key),
  };
  const asker: Asker = { reference: { kind: "Database", namespace: "shop", name: "db" }, namespace: "shop" };
  const { resolution } = world;
  world.resolution = { kind: "waiting", reason: "DatabaseNotReady", message: "no", path: "p" };
  const tending = world.databases.tend(objects, stop.signal);
  world.databases.hold("shop/a", asker);
  await world.databases.find(asker, { signal });
  world.resolution = resolution;
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  world.databases.serves({ namespace: "shop", name: "other" });
  await settle();
  assertEquals([world.taken(), enqueued], [["resolve"], []]);
  world.databases.serves({ namespace: "shop", name: "db" });
  await settle();
  assertEquals([world.taken().slice(0, 2), enqueued], [["resolve", "open one"], ["shop/a"]]);
  world.databases.serves({ namespace: "shop", name: "db" });
  await settle();
  assertEquals(enqueued, ["shop/a"]);
  stop.abort();
  await tending;
});

Deno.test("an object that goes away uses the credentials that were known, a living one does not", async () => {
  const world = new World();
  world.databases.hold("shop/a", ASKER);
  await world.databases.find(ASKER, { signal });
  world.resolution = { kind: "waiting", reason: "SecretNotFound", message: "no", path: "p" };
  const now = { maxAgeMs: 0, signal };
  assertEquals(passwordOf(await world.databases.find(ASKER, now)), "SecretNotFound");
  assertEquals(passwordOf(await world.databases.find({ ...ASKER, isLeaving: true }, now)), "served");
  world.resolution = { kind: "waiting", reason: "DatabaseNotReady", message: "no", path: "p" };
  assertEquals(passwordOf(await world.databases.find(ASKER, now)), "served");
  world.resolution = { kind: "gone", reason: "DatabaseNotFound", message: "no", path: "p" };
  assertEquals(passwordOf(await world.databases.find({ ...ASKER, isLeaving: true }, now)), "DatabaseNotFound");
});

Deno.test("find() tells what cannot be used, and that there is no default", async () => {
  const world = new World();
  world.resolution = { kind: "found", connection: { url: "nonsense" } };
  assertEquals(passwordOf(await world.databases.find(ASKER, { signal })), "InvalidConnectionSecret");
  const plain: Asker = { reference: { kind: "Default" }, namespace: "shop" };
  assertEquals(passwordOf(await world.databases.find(plain, { signal })), "NoDefaultDatabase");
  assertEquals(
    passwordOf(await world.databases.find({ reference: undefined, namespace: "shop" }, { signal })),
    "InvalidSpec",
  );
});

Deno.test("defer() asks the server whose outage it is", async () => {
  const world = new World();
  await world.databases.find(ASKER, { signal });
  const error = new Error("lost");
  const work = { key: "k", retry() {} };
  assertEquals(world.databases.defer(error, work), error);
  world.faults.set("one", "down");
  assertEquals((world.databases.defer(error, work) as Error).message, "deferred");
});

Deno.test("tend() looks soon at the server of an object that goes away, since the server may go, too", async () => {
  const world = new World();
  const stop = new AbortController();
  const enqueued: string[] = [];
  const objects = {
    get: (): KubeObject | undefined => undefined,
    keys: () => [],
    whenSynced: () => Promise.resolve(),
    enqueue: (key: string) => void enqueued.push(key),
  };
  const tending = world.databases.tend(objects, stop.signal);
  world.databases.hold("shop/a", ASKER);
  await world.databases.find(ASKER, { signal });
  await world.look(2_000);
  assertEquals(world.taken(), ["resolve", "open one", "sweep one"]);
  world.databases.hold("shop/a", { ...ASKER, isLeaving: true });
  await world.look(2_000);
  assertEquals([world.taken(), enqueued], [["resolve"], []]);
  world.resolution = { kind: "gone", reason: "DatabaseNotFound", message: "no", path: "p" };
  await world.look(2_000);
  assertEquals([world.taken(), enqueued], [["resolve", "close one", "swept one"], ["shop/a"]]);
  stop.abort();
  await tending;
});
