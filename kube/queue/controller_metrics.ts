import type { Metrics } from "../telemetry/metrics.ts";

/** What controller-runtime calls the ends of a reconcile. */
export type ReconcileResultName = "success" | "error" | "requeue" | "requeue_after";

const RESULTS: readonly ReconcileResultName[] = ["success", "error", "requeue", "requeue_after"];

/** As controller-runtime has them, so that what was drawn for other operators fits. */
const RECONCILE_BUCKETS = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  ...[1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60],
];
/** The metrics of one controller under the names that controller-runtime gave them. */
export class ControllerMetrics {
  readonly #controller: string;
  readonly #metrics: ReturnType<typeof reconcileMetrics>;

  constructor(metrics: Metrics, options: { readonly controller: string; readonly workers: number }) {
    const { controller, workers } = options;
    this.#controller = controller;
    this.#metrics = reconcileMetrics(metrics);
    for (const result of RESULTS) this.#metrics.total.add({ controller, result }, 0);
    for (const each of ["errors", "terminal", "panics", "timeouts"] as const) {
      this.#metrics[each].add({ controller }, 0);
    }
    this.#metrics.workers.set({ controller }, workers);
    this.#metrics.active.set({ controller }, 0);
  }

  started(): void {
    this.#metrics.active.add({ controller: this.#controller }, 1);
  }

  ended(result: ReconcileResultName, seconds: number): void {
    const controller = this.#controller;
    this.#metrics.active.add({ controller }, -1);
    this.#metrics.total.add({ controller, result });
    this.#metrics.time.observe({ controller }, seconds);
    if (result === "error") this.#metrics.errors.add({ controller });
  }

  /** A fault of ours was thrown, which in Go would be a panic. */
  panicked(): void {
    this.#metrics.panics.add({ controller: this.#controller });
  }

  timedOut(): void {
    this.#metrics.timeouts.add({ controller: this.#controller });
  }
}

function reconcileMetrics(metrics: Metrics) {
  const labels = ["controller"] as const;
  const counter = (name: string, help: string) => metrics.counter({ name, help, labels });
  const gauge = (name: string, help: string) => metrics.gauge({ name, help, labels });
  return {
    total: metrics.counter({
      name: "controller_runtime_reconcile_total",
      help: "Total number of reconciliations per controller",
      labels: ["controller", "result"],
    }),
    errors: counter(
      "controller_runtime_reconcile_errors_total",
      "Total number of reconciliation errors per controller",
    ),
    // Nothing that was thrown is given up, so it stays 0: what only a person can mend is no error, but a condition of its object.
    terminal: counter(
      "controller_runtime_terminal_reconcile_errors_total",
      "Total number of terminal reconciliation errors per controller",
    ),
    panics: counter(
      "controller_runtime_reconcile_panics_total",
      "Total number of reconciliation panics per controller",
    ),
    timeouts: counter(
      "controller_runtime_reconcile_timeouts_total",
      "Total number of reconciliation timeouts per controller",
    ),
    time: metrics.histogram({
      name: "controller_runtime_reconcile_time_seconds",
      help: "Length of time per reconciliation per controller",
      labels,
      buckets: RECONCILE_BUCKETS,
    }),
    workers: gauge(
      "controller_runtime_max_concurrent_reconciles",
      "Maximum number of concurrent reconciles per controller",
    ),
    active: gauge("controller_runtime_active_workers", "Number of currently used workers per controller"),
  };
}
