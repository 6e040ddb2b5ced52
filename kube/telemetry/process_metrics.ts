import process from "node:process";
import type { Metrics } from "./metrics.ts";

/** Measures the process itself, under the names that every client of Prometheus uses; needs no permission. */
export function measureProcess(metrics: Metrics, now: () => number): void {
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels: [] });
  const cpu = metrics.counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    labels: [],
  });
  const resident = gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
  const heap = gauge("process_heap_bytes", "Process heap size in bytes.");
  gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")
    .set({}, now() / 1000 - process.uptime());
  let seconds = 0;
  metrics.onScrape("process", () => {
    const { user, system } = process.cpuUsage();
    const total = (user + system) / 1e6;
    cpu.add({}, Math.max(0, total - seconds));
    seconds = total;
    const { rss, heapTotal } = process.memoryUsage();
    resident.set({}, rss);
    heap.set({}, heapTotal);
  });
}
