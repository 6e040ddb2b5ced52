import type { Context, MiddlewareHandler } from "hono";
import type { Metrics } from "../../kube/telemetry/metrics.ts";
import type { AdmissionRequest, Verdict } from "./admission_review.ts";

/** Measures requests to one path of the admission server, under the names that controller-runtime gave that. */
export function measureReviews(metrics: Metrics, webhook: string): MiddlewareHandler {
  const total = metrics.counter({
    name: "controller_runtime_webhook_requests_total",
    help: "Total number of admission requests by HTTP status code.",
    labels: ["webhook", "code"],
  });
  const latency = metrics.histogram({
    name: "controller_runtime_webhook_latency_seconds",
    help: "Histogram of the latency of processing admission requests",
    labels: ["webhook"],
  });
  const inFlight = metrics.gauge({
    name: "controller_runtime_webhook_requests_in_flight",
    help: "Current number of admission requests being served.",
    labels: ["webhook"],
  });
  for (const code of ["200", "500"]) total.add({ webhook, code }, 0);
  inFlight.set({ webhook }, 0);
  return async function measure(c: Context, next: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    inFlight.add({ webhook }, 1);
    try {
      await next();
    } finally {
      inFlight.add({ webhook }, -1);
      latency.observe({ webhook }, (performance.now() - startedAt) / 1000);
      total.add({ webhook, code: String(c.res.status) });
    }
  };
}

/** Counts what was said to a request; a kind and an operation, but no name: that would be a series for each object. */
export type VerdictCounter = (request: AdmissionRequest, kind: string, result: Verdict["kind"] | "error") => void;

/** Counts verdicts by kind, operation and result; `error` is a request that nobody could judge. */
export function countVerdicts(metrics: Metrics): VerdictCounter {
  const total = metrics.counter({
    name: "tablewright_admission_verdicts_total",
    help: "Verdicts of the validating webhook; error: nobody could judge.",
    labels: ["kind", "operation", "result"],
  });
  return ({ operation }, kind, result) => total.add({ kind, operation, result });
}
