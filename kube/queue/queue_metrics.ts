import type { Metrics } from "../telemetry/metrics.ts";
import type { QueueObserver, WorkQueue } from "./work_queue.ts";

/** 10 ns to 1,000 s, as the work queues of client-go have them. */
const QUEUE_BUCKETS = Array.from({ length: 12 }, (_, power) => Number((1e-8 * 10 ** power).toPrecision(1)));
/** The priorities of controller-runtime's queue; it knows no lane for what failed. */
const PRIORITIES = { fresh: "0", resync: "-100", failing: "-200" } as const;

/** Measures a queue under the names that client-go gave them. */
export function observeQueue(metrics: Metrics, controller: string): QueueObserver {
  const labels = { name: controller, controller };
  const names = ["name", "controller"] as const;
  const counter = (name: string, help: string) => {
    const each = metrics.counter({ name, help, labels: names });
    each.add(labels, 0);
    return each;
  };
  const histogram = (name: string, help: string) =>
    metrics.histogram({ name, help, labels: names, buckets: QUEUE_BUCKETS });
  const adds = counter("workqueue_adds_total", "Total number of adds handled by workqueue");
  const retries = counter("workqueue_retries_total", "Total number of retries handled by workqueue");
  const waited = histogram(
    "workqueue_queue_duration_seconds",
    "How long in seconds an item stays in workqueue before being requested",
  );
  const worked = histogram(
    "workqueue_work_duration_seconds",
    "How long in seconds processing an item from workqueue takes.",
  );
  return {
    added: () => adds.add(labels),
    retried: () => retries.add(labels),
    taken: (ms) => waited.observe(labels, ms / 1000),
    done: (ms) => worked.observe(labels, ms / 1000),
  };
}

/** Sets what is only known of a queue when somebody looks. */
export function scrapeQueue(
  metrics: Metrics,
  queue: Pick<WorkQueue, "depthOf" | "startTimes">,
  options: { readonly controller: string; readonly now: () => number },
): void {
  const { controller, now } = options;
  const labels = { name: controller, controller };
  const names = ["name", "controller"] as const;
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: names });
  const unfinished = gauge(
    "workqueue_unfinished_work_seconds",
    "How many seconds of work has been done that is in progress and hasn't been observed by work_duration.",
  );
  const longest = gauge(
    "workqueue_longest_running_processor_seconds",
    "How many seconds has the longest running processor for workqueue been running.",
  );
  const depth = metrics.gauge({
    name: "workqueue_depth",
    help: "Current depth of workqueue by workqueue and priority",
    labels: [...names, "priority"],
  });
  metrics.onScrape(`workqueue ${controller}`, () => {
    const seconds = queue.startTimes().map((startedAt) => (now() - startedAt) / 1000);
    unfinished.set(labels, seconds.reduce((sum, each) => sum + each, 0));
    longest.set(labels, Math.max(0, ...seconds));
    for (const lane of ["fresh", "resync", "failing"] as const) {
      depth.set({ ...labels, priority: PRIORITIES[lane] }, queue.depthOf(lane));
    }
  });
}
