import { listen } from "./listen.ts";
import { createOperationsApp, type OperationsOptions } from "./operations.ts";
import { type ReviewListener, serveReviews } from "../admission/review_listener.ts";
import type { OperatorParts } from "./parts.ts";

/** Serves the reviews of all kinds. @throws {StartError} if the port cannot be had. */
export function serveAdmission({ admission, config, connections }: OperatorParts): ReviewListener {
  return serveReviews({
    ...(connections.embeddedCluster ? { hostname: "127.0.0.1" } : {}),
    port: config.webhookPort,
    pair: admission.certificates.served.pair,
    review: (request) => admission.app.fetch(request),
  });
}

/** Serves health and readiness. @throws {StartError} if the port cannot be had. */
export function serveOperations({ config }: OperatorParts, options: OperationsOptions): Deno.HttpServer {
  const app = createOperationsApp(options);
  const { httpPort: port, httpHost: hostname } = config;
  const flag = hostname === undefined ? "--http-port" : "--liveness";
  return listen({ flag, port, hostname }, (at) => Deno.serve(at, app.fetch));
}
