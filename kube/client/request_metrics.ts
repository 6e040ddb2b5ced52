import type { Metrics } from "../telemetry/metrics.ts";

/** Told of each answer of an API server; `<error>` stands for none. */
export type RequestObserver = (method: string, code: number | "<error>") => void;

/** Counts requests to one API server under the name that client-go gave that. */
export function observeRequests(metrics: Metrics, server: string): RequestObserver {
  const host = URL.parse(server)?.host ?? "";
  const total = metrics.counter({
    name: "rest_client_requests_total",
    help: "Number of HTTP requests, partitioned by status code, method, and host.",
    labels: ["code", "method", "host"],
  });
  return (method, code) => total.add({ code: String(code), method, host });
}
