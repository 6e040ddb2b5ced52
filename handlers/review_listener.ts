import type { KeyPair } from "../kube/certificate.ts";
import { systemTiming } from "../kube/timing.ts";
import { listen } from "./listen.ts";

/** The HTTPS server of reviews, as the order of a shutdown needs it. */
export interface ReviewListener {
  /** From now on each answer asks its client to come back on another connection. */
  closeConnections(): void;
  /** Serves new connections with another certificate; reviews that run go on, and none is lost. */
  replaceCertificate(pair: KeyPair): void;
  /** Takes no new connections and ends when running reviews are answered. */
  shutdown(): Promise<void>;
}

export interface ReviewListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly pair: KeyPair;
  readonly review: (request: Request) => Response | Promise<Response>;
  /** How long a replaced listener goes on, in milliseconds; default 100,000: a Go client keeps an idle connection for 90 s. */
  readonly lingerMs?: number;
}

/** One listener with one certificate. */
interface Generation {
  readonly server: Deno.HttpServer;
  closing: boolean;
}

const DEFAULT_LINGER_MS = 100_000;

/**
 * Serves reviews over TLS.
 *
 * The API server speaks HTTP/1.1 to a Service and keeps idle connections: a `shutdown()` alone cuts them while a review is on its
 * way, and Go does not send a POST again. Answers that carry `connection: close` let it leave first. The runtime cannot change the
 * certificate of a listener: a second one on the same port takes over while the first one lingers.
 *
 * @throws {StartError} one line, if the port cannot be had.
 */
export function serveReviews(options: ReviewListenerOptions): ReviewListener {
  const { hostname, port, pair, lingerMs = DEFAULT_LINGER_MS } = options;
  const flag = "--webhook-port";
  // A port that is shared on purpose would be shared with another operator too.
  listen({ flag, port }, () => Deno.listen({ hostname, port })).close();
  const generations = [serveGeneration(options, pair)];
  const stopping = new AbortController();
  let closing = false;
  const end = async (generation: Generation) => {
    await generation.server.shutdown();
    generations.splice(generations.indexOf(generation), 1);
  };
  return {
    closeConnections() {
      closing = true;
      for (const each of generations) each.closing = true;
    },
    replaceCertificate(next) {
      // Whoever is on its way out needs no new one.
      if (closing || stopping.signal.aborted) return;
      const replaced = generations.filter(({ closing }) => !closing);
      generations.push(serveGeneration(options, next));
      for (const each of replaced) {
        each.closing = true;
        systemTiming.delay(lingerMs, stopping.signal).then(() => end(each), () => {});
      }
    },
    async shutdown() {
      stopping.abort();
      await Promise.all(generations.map(({ server }) => server.shutdown()));
    },
  };
}

function serveGeneration({ hostname, port, review }: ReviewListenerOptions, pair: KeyPair): Generation {
  const { certificate: cert, privateKey: key } = pair;
  const answer = async (request: Request) => {
    const response = await review(request);
    if (generation.closing) response.headers.set("connection", "close");
    return response;
  };
  const server = listen(
    { flag: "--webhook-port", port },
    (onListen) => Deno.serve({ port, hostname, cert, key, onListen, reusePort: true }, answer),
  );
  const generation: Generation = { server, closing: false };
  return generation;
}
