import { certificateValidity } from "../webhook/certificate_fault.ts";
import { errorFromFailure, errorFromResponse, KubeError } from "./kube_error.ts";
import type { RequestObserver } from "./request_metrics.ts";
import { requestBody } from "./small_chunks.ts";

/** Where an API server is and who we are to it. Certificates and keys are PEM texts, never paths. */
export interface ClusterConfig {
  /** `https://host:port`, with a path prefix if there is one. */
  readonly server: string;
  /** Absent: the authorities that Deno trusts. */
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /**
   * Answers the bearer token; asked before each request, so it should remember.
   * `refresh`: the token it gave last was refused, so what it remembers must not be used.
   */
  readonly token?: (options: { readonly refresh: boolean }) => Promise<string>;
  /** Deno cannot switch verification off for one client: it works only with `--unsafely-ignore-certificate-errors=HOST`. */
  readonly insecureSkipTlsVerify?: boolean;
  /** `http://host:port` of a proxy. */
  readonly proxyUrl?: string;
  /** The namespace of the Pod that logs in. */
  readonly namespace?: string;
}

export type QueryValue = string | number | boolean | undefined;

export interface TransportRequest {
  readonly method: string;
  /** From the root of the API server, without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: unknown;
  /** Of the body; default `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Until the answer is read in full; of a stream until it begins. */
  readonly timeoutMs: number;
}

/** A response whose body is still being read. `close` ends it. */
export interface OpenResponse {
  readonly response: Response;
  close(): void;
}

/** The reason of an abort that says: the connection is dead, open another one for what comes next. */
export class ConnectionStalled extends Error {
  override readonly name = "ConnectionStalled";
}

/**
 * HTTP to one API server: one Deno client (HTTP/2), so all requests share a connection.
 *
 * A connection that was cut without a word would swallow every later request for as long as the kernel believes in it (HTTP/2
 * shares it, and Deno sends no pings). So after each timeout, and after an abort with {@linkcode ConnectionStalled}, the next
 * request opens a new one; streams that still run keep theirs.
 */
export class Transport {
  /** For messages: without user, password or path. */
  readonly origin: string;
  readonly #config: ClusterConfig;
  readonly #userAgent: string;
  readonly #onAnswer: RequestObserver;
  readonly #base: string;
  #client: Deno.HttpClient | undefined;
  #closed = false;

  /** @throws {TypeError} if the server is not an `http(s)` URL, or a certificate or key is unreadable. */
  constructor(config: ClusterConfig, userAgent: string, onAnswer: RequestObserver = () => {}) {
    const url = parseServer(config.server);
    this.origin = url.origin;
    this.#config = config;
    this.#userAgent = userAgent;
    this.#onAnswer = onAnswer;
    this.#base = config.server.replace(/\/+$/, "");
    this.#client = createHttpClient(config);
  }

  /**
   * Sends a request and reads its whole answer.
   *
   * @throws {KubeError} for every answer that is no success, and with status 0 if there is none.
   * The reason of `request.signal` if that is aborted.
   */
  async call<T>(request: TransportRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const deadline = new Deadline(request);
    try {
      return await read(await this.#send(request, deadline.signal));
    } catch (error) {
      throw this.#explain(error, request, deadline);
    } finally {
      deadline.dispose();
    }
  }

  /** Sends a request whose answer is a stream; the timeout ends when the stream begins. Throws as {@linkcode call} does. */
  async open(request: TransportRequest): Promise<OpenResponse> {
    const deadline = new Deadline(request);
    try {
      const response = await this.#send(request, deadline.signal);
      deadline.stopTimer();
      return { response, close: () => deadline.end() };
    } catch (error) {
      deadline.dispose();
      throw this.#explain(error, request, deadline);
    }
  }

  /** What a failure while a stream is read means. */
  explainStreamFailure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) {
      if (signal.reason instanceof ConnectionStalled) this.#renew();
      return signal.reason;
    }
    return errorFromFailure(error, this.origin);
  }

  /** Closes idle connections; running requests end by themselves. */
  close(): void {
    this.#closed = true;
    this.#client?.close();
    this.#client = undefined;
  }

  async #send(request: TransportRequest, signal: AbortSignal): Promise<Response> {
    const first = await this.#fetch(request, { signal, refresh: false });
    if (first.status !== 401 || this.#config.token === undefined) return await accept(first);
    await first.body?.cancel();
    return await accept(await this.#fetch(request, { signal, refresh: true }));
  }

  async #fetch(request: TransportRequest, options: { signal: AbortSignal; refresh: boolean }): Promise<Response> {
    if (this.#closed) throw new Error("this client is closed");
    const headers: Record<string, string> = { accept: "application/json", "user-agent": this.#userAgent };
    if (request.body !== undefined) headers["content-type"] = request.contentType ?? "application/json";
    const token = await this.#config.token?.({ refresh: options.refresh });
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    this.#client ??= createHttpClient(this.#config);
    const answer = fetch(this.#base + request.path + queryString(request.query), {
      method: request.method,
      headers,
      body: request.body === undefined ? null : requestBody(JSON.stringify(request.body)),
      redirect: "error",
      signal: options.signal,
      client: this.#client,
    });
    answer.then(
      ({ status }) => this.#onAnswer(request.method, status),
      () => this.#onAnswer(request.method, "<error>"),
    );
    return await answer;
  }

  #explain(error: unknown, request: TransportRequest, deadline: Deadline): unknown {
    if (error instanceof KubeError) return error;
    if (deadline.timedOut) {
      this.#renew();
      const cause = new Error(`no answer within ${request.timeoutMs / 1000} s`);
      return errorFromFailure(cause, this.origin);
    }
    return this.explainStreamFailure(error, request.signal);
  }

  #renew(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

/**
 * The caller's signal and a timeout in one. `AbortSignal.any()` is not used: its children stay with a signal that lives as long
 * as the process, one for each request.
 */
class Deadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort(this.#parent?.reason);
  readonly #timer: ReturnType<typeof setTimeout>;
  timedOut = false;

  constructor(request: TransportRequest) {
    this.#parent = request.signal;
    this.#timer = setTimeout(() => {
      this.timedOut = true;
      this.#controller.abort();
    }, request.timeoutMs);
    if (this.#parent?.aborted) this.#onAbort();
    else this.#parent?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  dispose(): void {
    this.stopTimer();
    this.#parent?.removeEventListener("abort", this.#onAbort);
  }

  end(): void {
    this.dispose();
    this.#controller.abort();
  }
}

async function accept(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await errorFromResponse(response);
}

function createHttpClient(config: ClusterConfig): Deno.HttpClient {
  const { certificateAuthority, clientCertificate, clientKey, proxyUrl } = config;
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw new TypeError("Cannot log in to the API server: a client certificate and its key must be given together");
  }
  try {
    // Deno takes a text without a certificate for an empty list, and would then trust nobody.
    if (certificateAuthority !== undefined) certificateValidity(certificateAuthority);
    return Deno.createHttpClient({
      ...(certificateAuthority === undefined ? {} : { caCerts: [certificateAuthority] }),
      ...(clientCertificate === undefined || clientKey === undefined
        ? {}
        : { cert: clientCertificate, key: clientKey }),
      ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl } }),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`Cannot use the certificates for the API server: ${reason}`, { cause: error });
  }
}

function parseServer(server: string): URL {
  const url = URL.parse(server);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new TypeError(`Cannot use the API server's address: it must be an https URL: current value is "${server}"`);
}

function queryString(query: TransportRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}
