import { assertEquals, assertStringIncludes } from "@std/assert";
import { Controller, type Reconcile } from "../queue/controller.ts";
import { createFakeTiming } from "../fake_timing.ts";
import { KubeError } from "../client/kube_error.ts";
import { silentLogger } from "./logger.ts";
import { openMetrics } from "./metrics.ts";
import { measureProcess } from "./process_metrics.ts";
import { observeRequests } from "../client/request_metrics.ts";

/** Values by series, without help and buckets. */
function seriesOf(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#") && !line.includes("_bucket{"));
  return Object.fromEntries(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

Deno.test("openMetrics() answers the same metric for the same definition, and asks callbacks before a scrape", async () => {
  const metrics = await openMetrics();
  const definition = { name: "things_total", help: "Things.", labels: ["kind"] } as const;
  metrics.counter(definition).add({ kind: "a" });
  metrics.counter(definition).add({ kind: "a" }, 2);
  const gauge = metrics.gauge({ name: "depth", help: "Depth.", labels: [] });
  metrics.onScrape("depth", () => gauge.set({}, 1));
  metrics.onScrape("depth", () => gauge.set({}, 7));
  assertEquals(seriesOf(await metrics.render()), { 'things_total{kind="a"}': 3, depth: 7 });
  assertStringIncludes(metrics.contentType, "text/plain");
});

Deno.test("two registries share nothing", async () => {
  const [first, second] = await Promise.all([openMetrics(), openMetrics()]);
  first.counter({ name: "things_total", help: "Things.", labels: [] }).add({});
  assertEquals(await second.render(), "\n");
});

Deno.test("a controller is measured under the names and labels of controller-runtime", async () => {
  const metrics = await openMetrics();
  const timing = createFakeTiming();
  const never = new Promise<never>(() => {});
  const outcomes: Readonly<Record<string, Reconcile>> = {
    good: async () => (await timing.delay(20), {}),
    later: () => Promise.resolve({ requeueAfterMs: 3_600_000 }),
    bug: () => Promise.reject(new TypeError("x is undefined")),
    conflict: () => Promise.reject(new KubeError("modified", { status: 409, reason: "Conflict" })),
    hangs: (_key, signal) =>
      Promise.race([never, new Promise<never>((_, no) => signal.addEventListener("abort", () => no(signal.reason)))]),
  };
  const controller = new Controller({
    name: "thing",
    workers: 3,
    timing,
    logger: silentLogger,
    metrics,
    reconcileTimeoutMs: 5_000,
    queue: { baseDelayMs: 600_000 },
    reconcile: (key, signal, deadline) => outcomes[key]?.(key, signal, deadline) ?? Promise.resolve({}),
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  for (const key of Object.keys(outcomes)) controller.enqueue(key);
  await timing.tick(3_000);
  const busy = seriesOf(await metrics.render());
  assertEquals(busy['controller_runtime_active_workers{controller="thing"}'], 1);
  assertEquals(busy['workqueue_longest_running_processor_seconds{name="thing",controller="thing"}'], 3);
  assertEquals(busy['workqueue_unfinished_work_seconds{name="thing",controller="thing"}'], 3);
  await timing.tick(3_000);
  stop.abort();
  await running;

  const series = seriesOf(await metrics.render());
  const ofController = (result: string) =>
    series[`controller_runtime_reconcile_total{controller="thing",result="${result}"}`];
  assertEquals(["success", "error", "requeue", "requeue_after"].map(ofController), [1, 2, 1, 1]);
  assertEquals(
    Object.fromEntries(
      Object.entries(series).filter(([name]) => !name.includes("_total{controller") && !name.includes("result=")),
    ),
    {
      'controller_runtime_max_concurrent_reconciles{controller="thing"}': 3,
      'controller_runtime_active_workers{controller="thing"}': 0,
      'controller_runtime_reconcile_time_seconds_sum{controller="thing"}': 5.02,
      'controller_runtime_reconcile_time_seconds_count{controller="thing"}': 5,
      'workqueue_adds_total{name="thing",controller="thing"}': 5,
      'workqueue_retries_total{name="thing",controller="thing"}': 4,
      'workqueue_queue_duration_seconds_sum{name="thing",controller="thing"}': 0,
      'workqueue_queue_duration_seconds_count{name="thing",controller="thing"}': 5,
      'workqueue_work_duration_seconds_sum{name="thing",controller="thing"}': 5.02,
      'workqueue_work_duration_seconds_count{name="thing",controller="thing"}': 5,
      'workqueue_unfinished_work_seconds{name="thing",controller="thing"}': 0,
      'workqueue_longest_running_processor_seconds{name="thing",controller="thing"}': 0,
      'workqueue_depth{name="thing",controller="thing",priority="0"}': 0,
      'workqueue_depth{name="thing",controller="thing",priority="-100"}': 0,
      'workqueue_depth{name="thing",controller="thing",priority="-200"}': 0,
    },
  );
  for (const [name, wanted] of [["errors", 2], ["panics", 1], ["timeouts", 1]] as const) {
    assertEquals(series[`controller_runtime_reconcile_${name}_total{controller="thing"}`], wanted, name);
  }
});

Deno.test("every series of a controller is there before anything happened", async () => {
  const metrics = await openMetrics();
  const options = { name: "thing", workers: 1, timing: createFakeTiming(), logger: silentLogger, metrics };
  new Controller({ ...options, reconcile: () => Promise.resolve({}) });
  const series = seriesOf(await metrics.render());
  for (const result of ["success", "error", "requeue", "requeue_after"]) {
    assertEquals(series[`controller_runtime_reconcile_total{controller="thing",result="${result}"}`], 0);
  }
  assertEquals(series['workqueue_depth{name="thing",controller="thing",priority="0"}'], 0);
  assertEquals(series['workqueue_adds_total{name="thing",controller="thing"}'], 0);
});

Deno.test("requests are counted by code, method and host, and by nothing that grows with the objects", async () => {
  const metrics = await openMetrics();
  const observe = observeRequests(metrics, "https://10.0.0.1:6443/prefix");
  observe("GET", 200);
  observe("GET", 200);
  observe("PATCH", "<error>");
  assertEquals(seriesOf(await metrics.render()), {
    'rest_client_requests_total{code="200",method="GET",host="10.0.0.1:6443"}': 2,
    'rest_client_requests_total{code="<error>",method="PATCH",host="10.0.0.1:6443"}': 1,
  });
});

Deno.test("the process is measured without any permission", async () => {
  const metrics = await openMetrics();
  measureProcess(metrics, () => Date.parse("2026-01-01T00:00:00Z"));
  const first = seriesOf(await metrics.render());
  const second = seriesOf(await metrics.render());
  assertEquals(Object.keys(first), [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_heap_bytes",
    "process_start_time_seconds",
  ]);
  const at = (series: Record<string, number>, name: string) => series[name] ?? NaN;
  assertEquals(at(first, "process_resident_memory_bytes") > 1e7, true);
  assertEquals(at(second, "process_cpu_seconds_total") >= at(first, "process_cpu_seconds_total"), true);
  assertEquals(at(first, "process_start_time_seconds") < Date.parse("2026-01-01T00:00:00Z") / 1000, true);
});
