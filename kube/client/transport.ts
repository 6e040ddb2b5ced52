import { certificateValidity } from "../webhook/certificate_fault.ts";
import { type ConnectionLoan, ConnectionPool, type ConnectionUse } from "./connection_pool.ts";
import { errorFromFailure, errorFromResponse, KubeError } from "./kube_error.ts";
import { RequestDeadline } from "./request_deadline.ts";
import type { RequestObserver } from "./request_metrics.ts";
import { requestBody } from "./small_chunks.ts";
import { systemTiming } from "../timing.ts";

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
  /** What a failure while the body is read means. */
  explain(error: unknown): unknown;
  close(): void;
}

/** The reason of an abort that says: the connection is dead, open another one for what comes next. */
export class ConnectionStalled extends Error {
  override readonly name = "ConnectionStalled";
}

/** One request under way, and the connection that it uses once it is sent. */
interface Exchange {
  readonly request: TransportRequest;
  readonly use: ConnectionUse;
  readonly deadline: RequestDeadline;
  loan: ConnectionLoan<Deno.HttpClient> | undefined;
}

/**
 * HTTP to one API server: requests and streams share one HTTP/2 connection as long as it has room for them, see
 * {@linkcode ConnectionPool}.
 *
 * A connection that was cut without a word would swallow every later request for as long as the kernel believes in it (HTTP/2
 * shares it, and Deno sends no pings). So after a timeout, and after an abort with {@linkcode ConnectionStalled}, the next
 * request opens a new one; streams that still run keep theirs.
 */
export class Transport {
  /** For messages: without user, password or path. */
  readonly origin: string;
  readonly #config: ClusterConfig;
  readonly #userAgent: string;
  readonly #onAnswer: RequestObserver;
  readonly #base: string;
  readonly #pool: ConnectionPool<Deno.HttpClient>;

  /** @throws {TypeError} if the server is not an `http(s)` URL, or a certificate or key is unreadable. */
  constructor(config: ClusterConfig, userAgent: string, onAnswer: RequestObserver = () => {}) {
    const url = parseServer(config.server);
    this.origin = url.origin;
    this.#config = config;
    this.#userAgent = userAgent;
    this.#onAnswer = onAnswer;
    this.#base = config.server.replace(/\/+$/, "");
    this.#pool = new ConnectionPool({ open: () => createHttpClient(config), timing: systemTiming });
  }

  /**
   * Sends a request and reads its whole answer.
   *
   * @throws {KubeError} for every answer that is no success, and with status 0 if there is none.
   * The reason of `request.signal` if that is aborted.
   */
  async call<T>(request: TransportRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const exchange = begin(request, "request");
    try {
      return await read(await this.#send(exchange));
    } catch (error) {
      throw this.#explain(error, exchange);
    } finally {
      exchange.deadline.dispose();
      exchange.loan?.release();
    }
  }

  /** Sends a request whose answer is a stream; the timeout ends when the stream begins. Throws as {@linkcode call} does. */
  async open(request: TransportRequest): Promise<OpenResponse> {
    const exchange = begin(request, "stream");
    try {
      const response = await this.#send(exchange);
      exchange.deadline.stopTimer();
      return {
        response,
        explain: (error) => this.#explain(error, exchange),
        close: () => {
          exchange.deadline.end();
          exchange.loan?.release();
        },
      };
    } catch (error) {
      exchange.deadline.dispose();
      exchange.loan?.release();
      throw this.#explain(error, exchange);
    }
  }

  /** Closes idle connections; running requests end by themselves. */
  close(): void {
    this.#pool.close();
  }

  async #send(exchange: Exchange): Promise<Response> {
    const first = await this.#fetch(exchange, { refresh: false });
    if (first.status !== 401 || this.#config.token === undefined) return await accept(first);
    await first.body?.cancel();
    exchange.loan?.release();
    return await accept(await this.#fetch(exchange, { refresh: true }));
  }

  async #fetch(exchange: Exchange, options: { readonly refresh: boolean }): Promise<Response> {
    const { request, deadline } = exchange;
    const headers: Record<string, string> = { accept: "application/json", "user-agent": this.#userAgent };
    if (request.body !== undefined) headers["content-type"] = request.contentType ?? "application/json";
    const token = await this.#config.token?.(options);
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    let loan = exchange.loan = await this.#pool.lend(exchange.use);
    // It was left while we waited for it.
    while (!loan.isCurrent) {
      loan.release();
      loan = exchange.loan = await this.#pool.lend(exchange.use);
    }
    const answer = fetch(this.#base + request.path + queryString(request.query), {
      method: request.method,
      headers,
      body: request.body === undefined ? null : requestBody(JSON.stringify(request.body)),
      redirect: "error",
      signal: deadline.signal,
      client: loan.client,
    });
    answer.then(
      ({ status }) => {
        loan.answered();
        this.#onAnswer(request.method, status);
      },
      () => this.#onAnswer(request.method, "<error>"),
    );
    return await answer;
  }

  #explain(error: unknown, { request, deadline, loan }: Exchange): unknown {
    if (error instanceof KubeError) return error;
    if (deadline.timedOut) {
      this.#leave(loan);
      const cause = new Error(`no answer within ${request.timeoutMs / 1000} s`);
      return errorFromFailure(cause, this.origin);
    }
    if (request.signal?.aborted) {
      if (request.signal.reason instanceof ConnectionStalled) this.#leave(loan);
      return request.signal.reason;
    }
    return errorFromFailure(error, this.origin);
  }

  /** Whatever cut one connection has probably cut all of them. Those that were opened since are not doubted: many may time out at once. */
  #leave(loan: Exchange["loan"]): void {
    if (loan?.isCurrent !== false) this.#pool.renew();
  }
}

function begin(request: TransportRequest, use: ConnectionUse): Exchange {
  return { request, use, deadline: new RequestDeadline(request), loan: undefined };
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
