import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { CertificateRotation } from "./certificate_rotation.ts";
import { createFakeTiming } from "../fake_timing.ts";
import { KubeError } from "../client/kube_error.ts";
import type { IdentityStore, NewIdentity, StoredIdentity } from "./identity_store.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import type { ServedCertificate } from "./serving_certificates.ts";
import { createServingIdentity, takeIdentityStep } from "./serving_identity.ts";

const subject = { commonName: "tablewright", names: { dnsNames: ["localhost"], ipAddresses: [] } };
const DAY_MS = 86_400_000;
const never = new AbortController().signal;

/** What replicas share; a write under another version than the stored one is refused. */
class SharedStore implements IdentityStore {
  stored: StoredIdentity | undefined;
  writes = 0;
  /** Called between the read and the write of whoever writes next. */
  beforeWrite: (() => Promise<void>) | undefined;

  read(): Promise<StoredIdentity | undefined> {
    return Promise.resolve(this.stored);
  }

  async write({ identity, replaces }: NewIdentity): Promise<boolean> {
    const interrupt = this.beforeWrite;
    this.beforeWrite = undefined;
    await interrupt?.();
    if (replaces !== this.stored?.version) return false;
    this.stored = { identity, version: String(++this.writes) };
    return true;
  }
}

async function storeMadeAgo(store: SharedStore, ms: number): Promise<void> {
  const made = new Date(createFakeTiming().now() - ms);
  store.stored = { identity: await createServingIdentity(subject, made), version: "0" };
}

async function start(store: IdentityStore, timing = createFakeTiming()) {
  const logger = memoryLogger();
  const rotation = await CertificateRotation.start({ store, subject, timing, logger }, never);
  return { rotation, timing, logger };
}

/** Runs both loops, as a leader does; or only the one of a replica that leads not. Hands out each change. */
function run({ rotation }: { rotation: CertificateRotation }, isAnnounced?: (bundle: string) => boolean) {
  const stop = new AbortController();
  let changed = Promise.withResolvers<ServedCertificate>();
  const onChange = (served: ServedCertificate) => {
    changed.resolve(served);
    changed = Promise.withResolvers();
  };
  const following = rotation.follow(onChange, stop.signal);
  const leading = isAnnounced && rotation.lead(isAnnounced, stop.signal);
  return {
    /** The next change. */
    change: () => changed.promise,
    stop: async () => {
      stop.abort();
      await Promise.all([following, leading]);
    },
  };
}

Deno.test("CertificateRotation.start() lets two replicas that start at once agree on one authority", async () => {
  const store = new SharedStore();
  let second: CertificateRotation | undefined;
  store.beforeWrite = async () => {
    second = (await start(store)).rotation;
  };
  const { rotation } = await start(store);
  assertEquals(store.writes, 1);
  assertEquals(rotation.served, second?.served);
});

Deno.test("CertificateRotation.start() waits for a store that is busy, and not for one that refuses", async () => {
  const store = new SharedStore();
  const timing = createFakeTiming();
  const errorOf = (status: number) => new KubeError(`answered ${status}`, { status, reason: "Test" });
  const faults = [errorOf(503), undefined, errorOf(0), errorOf(429)];
  const flaky: IdentityStore = {
    read: () => failNext() ?? store.read(),
    write: (identity) => failNext() ?? store.write(identity),
  };
  const failNext = () => {
    const fault = faults.shift();
    return fault && Promise.reject(fault);
  };
  const started = start(flaky, timing);
  await timing.tick(0);
  assertEquals(store.writes, 0);
  // Keys are made in real time.
  while (store.writes === 0) await timing.tick(100);
  await started;
  assertEquals([faults.length, store.writes], [0, 1]);
  faults.push(errorOf(403));
  await assertRejects(() => start(flaky), KubeError, "answered 403");
});

Deno.test("CertificateRotation.start() takes what is stored, and replaces what has ended meanwhile", async () => {
  const store = new SharedStore();
  const first = await start(store);
  assertEquals((await start(store)).rotation.served, first.rotation.served);

  await storeMadeAgo(store, 400 * DAY_MS);
  const { rotation, logger } = await start(store);
  assertNotEquals(rotation.served.sharedSecret, first.rotation.served.sharedSecret);
  assertEquals(rotation.served.sharedSecret, store.stored?.identity.authority.privateKey);
  assertEquals(logger.entries.map(({ level }) => level), ["warn"]);
});

Deno.test("the leader renews by the wall clock and a follower serves what it made", async () => {
  const store = new SharedStore();
  await storeMadeAgo(store, 60 * DAY_MS - 90_000);
  const leader = await start(store);
  const follower = await start(store, leader.timing);
  const [leading, following] = [run(leader, () => true), run(follower)];
  const before = leader.rotation.served;
  const changes = [leading.change(), following.change()];
  await leader.timing.tick(120_000);
  // Keys are made in real time: the follower looks again when the leader is done.
  const led = await changes[0];
  await leader.timing.tick(60_000);
  const followed = await changes[1];
  assertNotEquals(led?.pair, before.pair);
  assertEquals(led?.caBundle, before.caBundle);
  assertEquals(followed, led);
  await Promise.all([leading.stop(), following.stop()]);
  assertEquals(leader.timing.pending(), 0);
});

Deno.test("a new authority is used only after it was announced everywhere", async () => {
  const store = new SharedStore();
  const timing = createFakeTiming();
  const made = await createServingIdentity(subject, new Date(timing.now() - 250 * DAY_MS));
  const context = { subject, now: new Date(timing.now()) };
  store.stored = { identity: await takeIdentityStep(made, { kind: "renewLeaf" }, context), version: "0" };
  const leader = await start(store, timing);
  let announced = false;
  const leading = run(leader, () => announced);
  const first = await leading.change();
  assertEquals(first.caBundle?.split("BEGIN CERTIFICATE").length, 3);
  assertEquals(first.pair, leader.rotation.served.pair);
  await timing.tick(120_000);
  assertEquals(leader.rotation.served, first);
  announced = true;
  const change = leading.change();
  await timing.tick(60_000);
  const second = await change;
  assertNotEquals(second.pair, first.pair);
  assertEquals(second.caBundle?.split("BEGIN CERTIFICATE").length, 3);
  await leading.stop();
});

Deno.test("a stored identity that somebody deleted or damaged comes back as it was", async () => {
  const store = new SharedStore();
  const leader = await start(store);
  const intact = store.stored;
  const damaged = { ...await createServingIdentity(subject, new Date()), leaf: { certificate: "", privateKey: "" } };
  for (const stored of [undefined, { identity: damaged, version: "by hand" }]) {
    store.stored = stored;
    const written = Promise.withResolvers<void>();
    store.beforeWrite = () => Promise.resolve(written.resolve());
    const leading = run(leader, () => false);
    await written.promise;
    await leading.stop();
    assertEquals(store.stored?.identity, intact?.identity);
  }
});
