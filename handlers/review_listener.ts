import type { KeyPair } from "../kube/certificate.ts";
import { listen } from "./listen.ts";

/** The HTTPS server of reviews, as the order of a shutdown needs it. */
export interface ReviewListener {
  /** From now on each answer asks its client to come back on another connection. */
  closeConnections(): void;
  /** Takes no new connections and ends when running reviews are answered. */
  shutdown(): Promise<void>;
}

export interface ReviewListenerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly pair: KeyPair;
  readonly review: (request: Request) => Response | Promise<Response>;
}

/**
 * Serves reviews over TLS.
 *
 * The API server speaks HTTP/1.1 to a Service and keeps idle connections: a `shutdown()` alone cuts them while a review is on its
 * way, and Go does not send a POST again. Answers that carry `connection: close` let it leave first.
 *
 * @throws {StartError} one line, if the port cannot be had.
 */
export function serveReviews({ hostname, port, pair, review }: ReviewListenerOptions): ReviewListener {
  let closing = false;
  const answer = async (request: Request) => {
    const response = await review(request);
    if (closing) response.headers.set("connection", "close");
    return response;
  };
  const { certificate: cert, privateKey: key } = pair;
  const server = listen(
    { flag: "--webhook-port", port },
    (onListen) => Deno.serve({ port, hostname, cert, key, onListen }, answer),
  );
  return {
    closeConnections() {
      closing = true;
    },
    shutdown: () => server.shutdown(),
  };
}
