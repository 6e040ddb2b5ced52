import { assert, assertEquals } from "@std/assert";
import { KubeError } from "../client/client.ts";
import { type EventLoss, EventRecorder } from "./event_recorder.ts";
import { createFakeTiming } from "../fake_timing.ts";
import { withLogContext } from "../telemetry/log_context.ts";
import { memoryLogger } from "../telemetry/logger.ts";
import type { KubeManifest } from "../object.ts";

const subject = {
  apiVersion: "g/v1",
  kind: "Thing",
  metadata: { name: "a", namespace: "d", uid: "u1", resourceVersion: "7" },
};
const created = { type: "Normal", reason: "Created", action: "Apply", note: "made a" } as const;

function setUp(options: { fail?: () => Error | undefined; hold?: Promise<void> } = {}) {
  const lost: EventLoss[] = [];
  let most = 0;
  let running = 0;
  const timing = createFakeTiming(Math.random);
  const logger = memoryLogger();
  const creates: KubeManifest[] = [];
  const patches: [string | undefined, unknown][] = [];
  const client = {
    create: async <T>(_type: unknown, manifest: KubeManifest, call: { readonly signal?: AbortSignal } = {}) => {
      most = Math.max(most, ++running);
      const aborted = new Promise<never>((_, reject) => {
        call.signal?.addEventListener("abort", () => reject(call.signal?.reason));
      });
      await Promise.race([options.hold, aborted]).finally(() => running--);
      const error = options.fail?.();
      if (error !== undefined) throw error;
      creates.push(manifest);
      return { object: manifest as T, warnings: [] };
    },
    patch: async <T>(
      _type: unknown,
      reference: { readonly name?: string | undefined },
      call: { readonly patch: unknown },
    ) => {
      const error = options.fail?.();
      if (error !== undefined) throw error;
      patches.push([reference.name, call.patch]);
      return { object: {} as T, warnings: [] };
    },
  };
  const onLost = (why: EventLoss) => lost.push(why);
  const recorder = new EventRecorder({ client, reportingInstance: "pod-1", timing, logger, onLost });
  return { recorder, creates, patches, timing, logger, lost, mostAtOnce: () => most };
}

Deno.test("EventRecorder writes an events.k8s.io/v1 Event about its object", async () => {
  const { recorder, creates } = setUp();
  recorder.record(subject, created);
  await recorder.flush();
  const { metadata, ...event } = creates[0] ?? { metadata: {} };
  assertEquals(event, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "tablewright",
    reportingInstance: "pod-1",
    type: "Normal",
    reason: "Created",
    action: "Apply",
    note: "made a",
    regarding: { apiVersion: "g/v1", kind: "Thing", namespace: "d", name: "a", uid: "u1", resourceVersion: "7" },
  });
  assert(/^a\.[0-9a-f]{12}$/.test(metadata.name ?? ""));
  assertEquals(metadata.namespace, "d");
});

Deno.test("EventRecorder counts repetitions within 6 minutes, and begins again after them", async () => {
  const { recorder, creates, patches, timing } = setUp();
  for (let round = 0; round < 3; round++) {
    recorder.record(subject, created);
    await timing.tick(300_000);
  }
  recorder.record(subject, { ...created, note: "another" });
  await recorder.flush();
  assertEquals(creates.length, 2);
  assertEquals(
    patches.map(([name, patch]) => [name, (patch as { value: { series: { count: number } } }).value.series.count]),
    [
      [creates[0]?.metadata.name, 2],
      [creates[0]?.metadata.name, 3],
    ],
  );
  await timing.tick(360_000);
  recorder.record(subject, created);
  await recorder.flush();
  assertEquals(creates.length, 3);
});

Deno.test("EventRecorder writes at most 25 Events of one object at once, and one more each 5 minutes", async () => {
  const { recorder, creates, timing } = setUp();
  const burst = (from: number) => {
    for (let index = from; index < from + 40; index++) recorder.record(subject, { ...created, note: `${index}` });
  };
  burst(0);
  recorder.record({ ...subject, metadata: { ...subject.metadata, uid: "u2" } }, created);
  await recorder.flush();
  assertEquals(creates.length, 26);
  // A wall clock that is set back is no reason to say less.
  timing.jump(-365 * 86_400_000);
  await timing.tick(300_000);
  burst(100);
  await recorder.flush();
  assertEquals(creates.length, 27);
});

Deno.test("EventRecorder logs a failure and goes on; a refusal by a terminating namespace is no warning", async () => {
  const failures = [
    new KubeError("Cannot reach the API server", { status: 0, reason: "Unreachable" }),
    new KubeError("namespace is being terminated", { status: 403, reason: "Forbidden" }),
  ];
  const { recorder, creates, logger } = setUp({ fail: () => failures.shift() });
  recorder.record(subject, created);
  recorder.record(subject, { ...created, note: "2" });
  await recorder.flush();
  assertEquals(logger.entries.map((entry) => entry.level).toSorted(), ["debug", "warn"]);
  recorder.record(subject, created);
  await recorder.flush();
  assertEquals(creates.length, 1);
});

Deno.test("EventRecorder writes a new Event when the one that counted is gone", async () => {
  const failures = [undefined, new KubeError("not found", { status: 404, reason: "NotFound" }), undefined];
  const { recorder, creates, patches } = setUp({ fail: () => failures.shift() });
  recorder.record(subject, created);
  await recorder.flush();
  recorder.record(subject, created);
  await recorder.flush();
  assertEquals([creates.length, patches.length], [2, 0]);
  assertEquals((creates[1]?.series as { count: number }).count, 2);
});

Deno.test("EventRecorder cuts a note at 1,024 bytes, not within a character", async () => {
  const { recorder, creates } = setUp();
  recorder.record(subject, { ...created, note: "é".repeat(2_000) });
  await recorder.flush();
  const note = String(creates[0]?.note);
  assert(new TextEncoder().encode(note).length <= 1_024);
  assert(/^é+…$/.test(note));
});

Deno.test("EventRecorder writes Events about cluster-scoped objects into default", async () => {
  const { recorder, creates } = setUp();
  const metadata = { name: "node-1", uid: "u9", resourceVersion: "1" };
  recorder.record({ apiVersion: "v1", kind: "Node", metadata }, created);
  await recorder.flush();
  assertEquals(creates[0]?.metadata.namespace, "default");
});

Deno.test("EventRecorder says at once what was said several times before it could be written", async () => {
  const { recorder, creates, patches } = setUp();
  for (let round = 0; round < 40; round++) recorder.record(subject, created);
  await recorder.flush();
  const written = [
    creates[0]?.series,
    ...patches.map(([, patch]) => (patch as { value: { series: unknown } }).value.series),
  ];
  assertEquals([creates.length, (written.at(-1) as { count: number }).count], [1, 40]);
  assert(patches.length <= 1);
});

Deno.test("EventRecorder goes on counting what it may not write, and tells the sum with the next write", async () => {
  const { recorder, patches, timing, lost } = setUp();
  for (let round = 0; round < 30; round++) {
    recorder.record(subject, created);
    await recorder.flush();
  }
  assertEquals([patches.length, lost], [24, Array(5).fill("rate")]);
  await timing.tick(300_000);
  recorder.record(subject, created);
  await recorder.flush();
  assertEquals((patches.at(-1)?.[1] as { value: { series: { count: number } } }).value.series.count, 31);
});

Deno.test("EventRecorder writes 4 at a time, lets 1,000 wait, and counts what it leaves out", async () => {
  const hold = Promise.withResolvers<void>();
  const { recorder, creates, lost, mostAtOnce } = setUp({ hold: hold.promise });
  for (let index = 0; index < 1_500; index++) {
    recorder.record({ ...subject, metadata: { ...subject.metadata, uid: `u${index}` } }, created);
  }
  assertEquals([lost.length, new Set(lost)], [500, new Set(["full"])]);
  hold.resolve();
  await recorder.flush();
  assertEquals([creates.length, mostAtOnce()], [1_000, 4]);
});

Deno.test("flush() gives up after 5 s what an API server does not take", async () => {
  const { recorder, timing, lost, logger, creates } = setUp({ hold: new Promise(() => {}) });
  for (let index = 0; index < 10; index++) {
    recorder.record({ ...subject, metadata: { ...subject.metadata, uid: `u${index}` } }, created);
  }
  let isFlushed = false;
  const flushed = recorder.flush().then(() => isFlushed = true);
  await timing.tick(4_999);
  assert(!isFlushed);
  await timing.tick(1);
  await flushed;
  assertEquals([creates.length, lost], [0, Array(10).fill("shutdown")]);
  assertEquals(logger.entries.map(({ level }) => level), ["warn"]);
  assertEquals(timing.pending(), 0);
});

Deno.test("EventRecorder takes secrets out of a note", async () => {
  const { recorder, creates } = setUp();
  recorder.record(subject, { ...created, note: "Cannot reach postgres://me:s3cret@db/app" });
  await recorder.flush();
  assertEquals(creates[0]?.note, "Cannot reach postgres://me:[redacted]@db/app");
});

Deno.test("a line about an Event names its object, and not the work in which it was recorded", async () => {
  const { recorder, logger } = setUp({ fail: () => new KubeError("no", { status: 500, reason: "InternalError" }) });
  const other = { ...subject, metadata: { ...subject.metadata, name: "b", uid: "u2" } };
  withLogContext({ name: "a", reconcileID: "1" }, () => recorder.record(subject, created));
  withLogContext({ name: "b", reconcileID: "2" }, () => recorder.record(other, created));
  await recorder.flush();
  assertEquals(logger.entries.map(({ properties: { name, reconcileID } }) => [name, reconcileID]), [
    ["a", undefined],
    ["b", undefined],
  ]);
});
