/** A span as OTLP/JSON has it, as far as tests look at it. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Receives OTLP over HTTP, as a collector does. */
export interface TraceReceiver extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`; the protocol must be `http/json`. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that was sent, as text. */
  readonly bodies: readonly string[];
}

interface RawSpan extends Omit<ReceivedSpan, "attributes"> {
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface RawTraces {
  readonly resourceSpans?: readonly { readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[] }[];
}

/** Starts a receiver on a free port of this machine. */
export function startTraceReceiver(): TraceReceiver {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.text();
    bodies.push(body);
    if (new URL(request.url).pathname === "/v1/traces") spans.push(...spansOf(JSON.parse(body)));
    return Response.json({});
  });
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    spans,
    bodies,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

function spansOf({ resourceSpans = [] }: RawTraces): ReceivedSpan[] {
  const raw = resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans));
  return raw.map((span) => ({
    ...span,
    attributes: Object.fromEntries((span.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]])),
  }));
}
