import { type Metrics, noMetrics, openMetrics, type ScrapedMetrics } from "../../kube/telemetry/metrics.ts";
import { noTracer, openTracer, type Tracer } from "../../kube/telemetry/tracing.ts";

/** Where everything counts, and says how long it took. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

/** Nothing is counted and nothing traced, at no cost. */
export const noTelemetry: Telemetry = { metrics: noMetrics, tracer: noTracer };

/** The telemetry of one operator; spans only if Deno was started with `OTEL_DENO=true`. */
export async function openTelemetry(): Promise<Telemetry & { readonly metrics: ScrapedMetrics }> {
  const [metrics, tracer] = await Promise.all([openMetrics(), openTracer()]);
  return { metrics, tracer };
}
