import type { KeyPair } from "../../kube/webhook/certificate.ts";
import { systemTiming } from "../../kube/timing.ts";
import { ConnectionRelay, type Route } from "./connection_relay.ts";
import { listen } from "../operator/listen.ts";
import type { ConnectionLimits } from "./open_connections.ts";

/** The HTTPS server of reviews, as the order of a shutdown needs it. */
export interface ReviewListener {
  /** How many servers there are, with those that were replaced and have not ended. */
  readonly generations: number;
  /** From now on each answer asks its client to come back on another connection. */
  closeConnections(): void;
  /** Serves new connections with another certificate; reviews that run go on, and none is lost. */
  replaceCertificate(pair: KeyPair): void;
  /** Takes no new connections and ends when running reviews are answered. */
  shutdown(): Promise<void>;
}

export interface ReviewListenerOptions {
  /** Absent: every address. */
  readonly hostname?: string;
  readonly port: number;
  readonly pair: KeyPair;
  readonly review: (request: Request) => Response | Promise<Response>;
  /** How long a replaced server goes on, in milliseconds; default 100,000: a Go client keeps an idle connection for 90 s. */
  readonly lingerMs?: number;
  readonly limits?: ConnectionLimits;
}

/** The server of one certificate, on a loopback port of its own. */
interface Generation {
  readonly server: Deno.HttpServer<Deno.NetAddr>;
  closing: boolean;
}

const DEFAULT_LINGER_MS = 100_000;
/** Said before the whole body came: too slow, too large, no room. */
const EARLY_ANSWERS: readonly number[] = [408, 413, 503];

/**
 * Serves reviews over TLS.
 *
 * The API server speaks HTTP/1.1 to a Service and keeps idle connections: a `shutdown()` alone cuts them while a review is on its
 * way, and Go does not send a POST again. Answers that carry `connection: close` let it leave first. The runtime cannot change the
 * certificate of a server: another one takes the new connections over while the old one lingers (docs/adr/0005).
 *
 * @throws {StartError} one line, if the port cannot be had.
 */
export function serveReviews(options: ReviewListenerOptions): ReviewListener {
  const { hostname, port, pair, lingerMs = DEFAULT_LINGER_MS, limits } = options;
  const front = listen({ flag: "--webhook-port", port, hostname }, (at) => Deno.listen(at));
  const start = (each: KeyPair): Generation => startGeneration({ ...options, pair: each }, () => relay);
  let current = start(pair);
  const generations = new Set([current]);
  const relay: ConnectionRelay = new ConnectionRelay(front, () => current.server.addr, limits);
  const stopping = new AbortController();
  let closing = false;
  const end = async (generation: Generation) => {
    relay.serverEnds(generation.server.addr.port);
    await generation.server.shutdown();
    generations.delete(generation);
  };
  return {
    get generations() {
      return generations.size;
    },
    closeConnections() {
      closing = true;
      for (const each of generations) each.closing = true;
    },
    replaceCertificate(next) {
      // Whoever is on its way out needs no new one.
      if (closing || stopping.signal.aborted) return;
      const replaced = current;
      replaced.closing = true;
      current = start(next);
      generations.add(current);
      systemTiming.delay(lingerMs, stopping.signal).then(() => end(replaced), () => {});
    },
    async shutdown() {
      stopping.abort();
      relay.stopListening();
      await Promise.all(Array.from(generations, end));
      await relay.close();
    },
  };
}

function startGeneration(
  { review, pair }: Pick<ReviewListenerOptions, "review" | "pair">,
  relay: () => Pick<ConnectionRelay, "requested" | "answeredEarly">,
): Generation {
  const { certificate: cert, privateKey: key } = pair;
  const answer = async (request: Request, { remoteAddr, completed }: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
    const route: Route = { serverPort: server.addr.port, clientPort: remoteAddr.port };
    relay().requested(route, completed);
    const response = await review(request);
    if (EARLY_ANSWERS.includes(response.status)) relay().answeredEarly(route);
    if (generation.closing) response.headers.set("connection", "close");
    return response;
  };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", cert, key, onListen() {} }, answer);
  const generation: Generation = { server, closing: false };
  return generation;
}
