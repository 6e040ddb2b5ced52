import { parseWarnings } from "./warning_header.ts";

/** The `metav1.Status` in which the API server says what went wrong. */
export interface ApiStatus {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly unknown[] };
}

export interface KubeErrorOptions {
  /** HTTP status, or 0 if there was no answer. */
  readonly status: number;
  /** CamelCase, for programs: `NotFound`, `Conflict`, `Unreachable`. */
  readonly reason: string;
  /** How long the server asks to wait, in milliseconds; 0 is as absent. */
  readonly retryAfterMs?: number | undefined;
  /** What admission said beside its refusal. */
  readonly warnings?: readonly string[];
  readonly cause?: unknown;
}

/** Whoever waits longer than this looks dead to our own health checks, and comes back late to a server that is well again. */
const MAX_RETRY_AFTER_MS = 60_000;

/** An answer of the API server that is no success, or the lack of one. The message is one line. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** HTTP status, or 0 if there was no answer. */
  readonly status: number;
  readonly reason: string;
  /** How long to wait, in milliseconds, if the server named a time: more than 0, and at most a minute. */
  readonly retryAfterMs?: number;
  /** What admission said beside its refusal. */
  readonly warnings: readonly string[];

  constructor(message: string, options: KubeErrorOptions) {
    super(oneLine(message), { cause: options.cause });
    this.status = options.status;
    this.reason = options.reason;
    this.warnings = options.warnings ?? [];
    const { retryAfterMs = 0 } = options;
    // Without any wait a loop would ask thousands of times a second: it needs a backoff of its own then.
    if (retryAfterMs > 0) this.retryAfterMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  }
}

/** Whether `error` is the API server's answer with that HTTP status. */
export function isKubeError(error: unknown, status: number): error is KubeError {
  return error instanceof KubeError && error.status === status;
}

/** Makes an error from a `metav1.Status`, as a whole answer or as an ERROR event of a watch. */
export function errorFromStatus(
  status: ApiStatus,
  fallback: { code: number; retryAfterMs?: number | undefined; warnings?: readonly string[] },
): KubeError {
  const code = status.code ?? fallback.code;
  const seconds = status.details?.retryAfterSeconds;
  return new KubeError(status.message ?? `the API server answered ${code}`, {
    status: code,
    reason: status.reason ?? "Unknown",
    retryAfterMs: fallback.retryAfterMs || (seconds === undefined ? undefined : seconds * 1000),
    warnings: fallback.warnings ?? [],
  });
}

/** Makes an error from an HTTP answer that is no success; consumes the body. */
export async function errorFromResponse(response: Response): Promise<KubeError> {
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  const text = await response.text().catch(() => "");
  const warnings = parseWarnings(response.headers.get("warning"));
  const fallback = { code: response.status, retryAfterMs, warnings };
  try {
    const body: unknown = JSON.parse(text);
    if (isStatus(body)) return errorFromStatus(body, fallback);
  } catch {
    // Not every answer comes from Kubernetes: a proxy answers HTML, the API server's own filters plain text.
  }
  return errorFromStatus({ message: text.slice(0, 200) || `the API server answered ${response.status}` }, fallback);
}

/** Makes an error from a `fetch` that threw: the reason in words, without the library's own. */
export function errorFromFailure(error: unknown, server: string): KubeError {
  const text = failureText(error);
  return new KubeError(`Cannot reach the API server at ${server}: ${describeFailure(text)}`, {
    status: 0,
    reason: "Unreachable",
    cause: error,
  });
}

/** Milliseconds of a `Retry-After` in seconds. A date is as absent: the API server never sends one, and two clocks would have to agree. */
function parseRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
}

function isStatus(body: unknown): body is ApiStatus {
  return typeof body === "object" && body !== null && (body as { kind?: unknown }).kind === "Status";
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

const FAILURES: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, "connection refused"],
  [/dns error|failed to lookup/i, "the host name is not known"],
  [
    /UnknownIssuer|unknown certificate authority/i,
    "its certificate is signed by an authority that is not trusted here",
  ],
  [/NotValidForName/i, "its certificate is not valid for this host name"],
  [/certificate.*expired/i, "its certificate has expired"],
  [/UnsupportedCertVersion/i, "its certificate is not X.509 v3"],
  [
    /connection reset|peer closed connection|broken pipe|connection closed|unexpected eof|error reading a body/i,
    "the connection was lost",
  ],
  [/network.*unreachable|no route to host/i, "the network is unreachable"],
];

function describeFailure(text: string): string {
  const known = FAILURES.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? text.slice(0, 200);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
