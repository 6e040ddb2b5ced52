import { type Context, Hono } from "hono";
import type { ScrapedMetrics } from "../../kube/telemetry/metrics.ts";
import { type CheckResult, type HealthChecks, isHealthy } from "./health.ts";

/** What the operations server shows. */
export interface OperationsOptions {
  /** Whether the process should go on; a kubelet restarts it otherwise. */
  readonly health: HealthChecks;
  /** Whether reviews should be sent here. */
  readonly readiness: HealthChecks;
  /** What Prometheus scrapes. */
  readonly metrics: ScrapedMetrics;
}

/** Health and readiness over HTTP, for probes and people; `?verbose` lists the checks. Metrics for Prometheus. */
export function createOperationsApp({ health, readiness, metrics }: OperationsOptions): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => answer(c, health));
  app.get("/readyz", (c) => answer(c, readiness));
  app.get("/metrics", async (c) => c.body(await metrics.render(), 200, { "content-type": metrics.contentType }));
  app.notFound((c) => c.text("Cannot serve this path: see /healthz, /readyz and /metrics\n", 404));
  return app;
}

async function answer(c: Context, checks: HealthChecks): Promise<Response> {
  const results = await checks.results();
  const healthy = isHealthy(results);
  const verbose = c.req.query("verbose") !== undefined || !healthy;
  return c.text(verbose ? `${results.map(lineOf).join("\n")}\n` : "ok\n", healthy ? 200 : 503);
}

/** As the API server's own `/readyz?verbose` writes it; `[!]` is a fault that makes nobody unready. */
function lineOf({ name, weight, fault }: CheckResult): string {
  if (fault === undefined) return `[+]${name} ok`;
  return weight === "required" ? `[-]${name} failed: ${fault}` : `[!]${name} failed, which is informational: ${fault}`;
}
