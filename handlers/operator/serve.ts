import { listen } from "./listen.ts";
import { createOperationsApp, type OperationsOptions } from "./operations.ts";
import { type ReviewListener, serveReviews } from "../admission/review_listener.ts";
import type { OperatorParts } from "./parts.ts";

/** Serves the reviews of all kinds. @throws {StartError} if the port cannot be had. */
export function serveAdmission({ admission, config, connections }: OperatorParts): ReviewListener {
  return serveReviews({
    hostname: connections.embeddedCluster ? "127.0.0.1" : "0.0.0.0",
    port: config.webhookPort,
    pair: admission.certificates.served.pair,
    review: (request) => admission.app.fetch(request),
  });
}

/** Serves health and readiness. @throws {StartError} if the port cannot be had. */
export function serveOperations({ config }: OperatorParts, options: OperationsOptions): Deno.HttpServer {
  const app = createOperationsApp(options);
  const { httpPort: port, httpHost: hostname } = config;
  return listen(
    { flag: hostname === undefined ? "--http-port" : "--liveness", port },
    (onListen) => Deno.serve({ port, onListen, ...(hostname === undefined ? {} : { hostname }) }, app.fetch),
  );
}
