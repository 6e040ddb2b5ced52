import { type Context, Hono, type MiddlewareHandler, type Next } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { HTTPException } from "hono/http-exception";
import { withLogContext } from "../../kube/telemetry/log_context.ts";
import type { Logger, LogProperties } from "../../kube/telemetry/logger.ts";
import type { SpanAttributes } from "../../kube/telemetry/tracing.ts";
import { countVerdicts, measureReviews, type VerdictCounter } from "./admission_metrics.ts";
import { type AdmissionRequest, decodeAdmissionReview, encodePatch, encodeVerdict } from "./admission_review.ts";
import { comparePatch } from "./json_patch.ts";
import type { ProbeResponder } from "./probe.ts";
import type { KindHandler } from "../registry.ts";
import { type BodyLimits, ReviewBodies, type ReviewBody } from "./review_body.ts";
import { jsonInSmallChunks } from "./small_chunks.ts";
import type { Telemetry } from "../operator/telemetry.ts";

/** Used when the request names no deadline; the API server always does. */
const DEFAULT_TIMEOUT_MS = 5_000;
/** We register 5 s, and Kubernetes' own default is 10 s: whoever claims more only wants to hold a place. */
const MAX_TIMEOUT_MS = 10_000;
/** Kept back from the API server's deadline to encode and send the answer. */
const ANSWER_RESERVE_MS = 500;

const PATHS = ["/validate", "/mutate"] as const;
/** An API server has at most 200 changes in flight, each with two reviews; several of them share us. */
const MAX_REVIEWS_IN_FLIGHT = 1_000;
/**
 * The API server sends objects of up to 3 MiB, old and new, in one review; one of those at a time. A table of 1,600 columns in the long
 * form, old and new, has 50,000 values.
 */
const BODIES: BodyLimits = {
  maxBytes: 7 * 1024 * 1024,
  maxValues: 60_000,
  roomBytes: 8 * 1024 * 1024,
  roomValues: 60_000,
  maxWaiting: 400,
  largeBodyMs: 5_000,
};

export interface AdmissionDependencies {
  readonly kinds: readonly KindHandler[];
  readonly probe: Pick<ProbeResponder, "answer">;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** A review must carry one of them; empty: none is asked for. */
  readonly tokens?: readonly string[];
}

interface Review {
  readonly kind: KindHandler;
  readonly request: AdmissionRequest;
  readonly signal: AbortSignal;
}

type Answer = (review: Review) => Promise<object>;

/**
 * The admission server: one path for validation and one for mutation of all kinds. A verdict, also a denial, is HTTP 200;
 * what is no review is 4xx; what cannot be judged is 500, so that the API server's `failurePolicy` decides.
 */
export function createAdmissionApp(dependencies: AdmissionDependencies): Hono {
  const { tokens = [] } = dependencies;
  const app = new Hono();
  const { metrics } = dependencies.telemetry;
  // First: what is refused before anybody looks at it fails a user's change as well, and must be seen.
  for (const path of PATHS) app.use(path, measureReviews(metrics, path));
  app.use(limitInFlight(MAX_REVIEWS_IN_FLIGHT));
  // Before anything of a body is read; tokens are compared in constant time.
  if (tokens.length > 0) app.use(bearerAuth({ token: [...tokens] }));
  const count = countVerdicts(metrics);
  const bodies = new ReviewBodies(BODIES);
  const judge = (review: Review) => validate({ ...dependencies, count }, review);
  app.post("/validate", reviewHandler({ ...dependencies, bodies }, judge));
  app.post("/mutate", reviewHandler({ ...dependencies, bodies }, mutate));
  app.notFound((c) => c.text("Cannot serve this path: POST reviews to /validate or /mutate", 404));
  app.onError((error, c) => fail(dependencies, c, error));
  return app;
}

function reviewHandler(dependencies: AdmissionDependencies & { readonly bodies: ReviewBodies }, answer: Answer) {
  return async function review(c: Context): Promise<Response> {
    const signal = AbortSignal.timeout(deadlineMs(c.req.query("timeout")));
    const body = await dependencies.bodies.read(c.req.raw, signal);
    if (!body.ok) return refuseBody(c, body);
    try {
      return await answerText(dependencies, { c, text: body.text, signal }, answer);
    } finally {
      body.release();
    }
  };
}

/** The rest of the body would have to be read before another request: whoever sends one connects again. */
function refuseBody(c: Context, { status, fault }: Extract<ReviewBody, { readonly ok: false }>): Response {
  return c.text(fault, status, { connection: "close", ...(status === 503 ? { "retry-after": "1" } : {}) });
}

interface Received {
  readonly c: Context;
  readonly text: string;
  readonly signal: AbortSignal;
}

async function answerText(
  dependencies: AdmissionDependencies,
  { c, text, signal }: Received,
  answer: Answer,
): Promise<Response> {
  const decoded = decodeAdmissionReview(text);
  if (!decoded.ok) return c.text(decoded.fault, 400);
  const { group, resource } = decoded.request.resource;
  const kind = dependencies.kinds.find((each) => each.resource.group === group && each.resource.plural === resource);
  if (kind === undefined) return c.text(`Cannot judge ${resource}.${group}: this operator does not manage it`, 404);
  const asked = { kind, request: decoded.request, signal };
  return await withLogContext(
    reviewProperties(asked),
    () =>
      dependencies.telemetry.tracer.span("admission review", reviewAttributes(asked, c.req.path), () => answer(asked))
        .then(jsonInSmallChunks)
        .catch((error) => fail(dependencies, c, error)),
  );
}

/** Answers 503 at once when there are too many: a queue would only make all of them late. */
function limitInFlight(most: number): MiddlewareHandler {
  let inFlight = 0;
  return async function limit(c: Context, next: Next): Promise<Response | void> {
    if (inFlight >= most) return c.text("Cannot take another review now", 503, { "retry-after": "1" });
    inFlight++;
    try {
      await next();
    } finally {
      inFlight--;
    }
  };
}

function reviewProperties({ kind, request }: Review): LogProperties {
  const { uid, operation, namespace, name } = request;
  return { kind: kind.resource.kind, operation, namespace, name, reviewID: uid };
}

/** Under the names that OpenTelemetry gives to Kubernetes. */
function reviewAttributes({ kind, request }: Review, path: string): SpanAttributes {
  const { operation, namespace, name } = request;
  return {
    "k8s.namespace.name": namespace,
    "k8s.object.name": name,
    "k8s.object.kind": kind.resource.kind,
    "tablewright.operation": operation,
    "url.path": path,
  };
}

/** Nobody can judge: the API server's `failurePolicy` decides. */
function fail({ logger }: AdmissionDependencies, c: Context, error: unknown): Response {
  // A refusal, as of a bearer token.
  if (error instanceof HTTPException) return error.getResponse();
  logger.error("cannot judge a review", { error });
  return c.text("Cannot judge the review: internal error", 500);
}

async function validate(
  dependencies: AdmissionDependencies & { readonly count: VerdictCounter },
  { kind, request, signal }: Review,
): Promise<object> {
  const verdict = await kind.validate(request, signal).catch((error) => {
    dependencies.count(request, kind.resource.kind, "error");
    throw error;
  });
  dependencies.count(request, kind.resource.kind, verdict.kind);
  const proof = await dependencies.probe.answer(request);
  // First, since the last ones of many warnings are cut off.
  return encodeVerdict(request, proof === undefined ? verdict : { ...verdict, warnings: [proof, ...verdict.warnings] });
}

function mutate({ kind, request }: Review): Promise<object> {
  const { object, oldObject } = request;
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    return Promise.resolve(encodePatch(request, []));
  }
  return Promise.resolve(encodePatch(request, comparePatch(object, kind.withDefaults(object, oldObject))));
}

/** Go's duration as the API server writes it into `?timeout=`: `5s`, `1m30s`, `500ms`. */
function deadlineMs(timeout: string | undefined): number {
  const match = /^(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(timeout ?? "");
  const [, minutes = "0", seconds = "0", milliseconds = "0"] = match ?? [];
  const asked = Number(minutes) * 60_000 + Number(seconds) * 1_000 + Number(milliseconds);
  const total = asked > 0 ? Math.min(asked, MAX_TIMEOUT_MS) : DEFAULT_TIMEOUT_MS;
  return Math.max(total - ANSWER_RESERVE_MS, total / 2);
}
