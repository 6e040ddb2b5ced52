import type { Span, Tracer as LibraryTracer } from "@opentelemetry/api";

/** Values that tell spans apart; no secret and no row value. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Where components say how long a piece of work took, and within which other one. */
export interface Tracer {
  /** Runs `work` as a span; what it throws fails the span and is passed on. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
}

/** Traces nothing, at the cost of a call. */
export const noTracer: Tracer = { span: (_name, _attributes, work) => work() };

/** Deno registers its tracer under this name when it was started with `OTEL_DENO=true` (or compiled so). */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** The tracer of the process: Deno's own, or none if it was started without. The library is loaded only in the first case. */
export async function openTracer(): Promise<Tracer> {
  if (!(REGISTERED in globalThis)) return noTracer;
  const { SpanStatusCode, trace } = await import("@opentelemetry/api");
  return traceWith(trace.getTracer("tablewright"), SpanStatusCode.ERROR);
}

function traceWith(tracer: LibraryTracer, failed: number): Tracer {
  const run = async <T>(span: Span, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // The name alone: a message may hold what no trace should.
      const message = error instanceof Error ? error.name : "Error";
      span.setStatus({ code: failed, message });
      throw error;
    } finally {
      span.end();
    }
  };
  return {
    span: (name, attributes, work) =>
      tracer.startActiveSpan(name, { attributes: { ...attributes } }, (span) => run(span, work)),
  };
}
