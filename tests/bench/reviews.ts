import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";
import { findFreePort } from "../../local/ports.ts";
import { progress, report, reportLatency } from "./figure.ts";
import { compare, latenciesOf, rateOf, runBlock } from "./load.ts";
import { startOperator } from "./operator.ts";
import { startProgram } from "./programs.ts";
import { databaseReview, longTableReview, tableReview } from "./review_body.ts";
import { smallChunks } from "../../kube/client/small_chunks.ts";
import type { Stage } from "./stage.ts";
import { isListening, until } from "./wait.ts";

const IN_FLIGHT = 100;
const BLOCK = { count: 4_000, inFlight: IN_FLIGHT };
const ROUNDS = 3;
/** The API server speaks HTTP/2 to a loopback address only, HTTP/1.1 to every Service. */
const PROTOCOLS = [
  { name: "HTTP/2", echo: "echo", options: { http1: false } },
  // Without chunks each echo waits for the client's delayed ACK (kube/client/small_chunks.ts), which many streams in one connection hide.
  { name: "HTTP/1.1", echo: "echo-in-chunks", options: { http2: false, poolMaxIdlePerHost: IN_FLIGHT } },
] as const;

/** Reviews straight to the HTTPS port; the floor is a Hono handler that echoes the same bytes. */
export async function benchReviews(stage: Stage): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const operator = resources.adopt(await startOperator(stage), (each) => each.stop());
  const echo = await startEcho(stage, resources);
  const caCerts = [operator.certificateAuthority, echo.certificateAuthority];
  const cases = [
    { name: "no database", body: databaseReview(), count: BLOCK.count },
    { name: "with database", body: tableReview(stage.namespace), count: 500 },
  ];
  for (const protocol of PROTOCOLS) {
    using http = Deno.createHttpClient({ caCerts, ...protocol.options });
    const reviewUrl = `https://127.0.0.1:${operator.webhookPort}/validate?timeout=5s`;
    const echoUrl = (path: string) => `https://127.0.0.1:${echo.port}/${path}`;
    progress(`reviews over ${protocol.name}`);
    for (const { name, body, count } of cases) {
      const { measured, floor } = await compare(ROUNDS, {
        floor: () => runBlock(BLOCK, () => postReview(http, echoUrl(protocol.echo), body)),
        measured: () => runBlock({ ...BLOCK, count }, () => postReview(http, reviewUrl, body)),
      });
      const title = `reviews over ${protocol.name}, ${IN_FLIGHT} in flight, ${name}`;
      report({ name: title, value: rateOf(measured), floor: rateOf(floor), unit: "1/s", runs: ROUNDS * count });
    }
    const long = longTableReview(stage.namespace);
    const single = (url: string) =>
      runBlock({ count: 20, inFlight: 1 }, () => postReview(http, url, smallChunks(new TextEncoder().encode(long))));
    const { measured, floor } = await compare(5, {
      floor: () => single(echoUrl("echo-in-chunks")),
      measured: () => single(reviewUrl),
    });
    reportLatency(`review of 40 columns over ${protocol.name}`, latenciesOf(measured), latenciesOf(floor));
  }
}

async function postReview(client: Deno.HttpClient, url: string, body: BodyInit): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { client, method: "POST", headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`a review was answered ${response.status}: ${text}`);
}

async function startEcho(
  stage: Stage,
  resources: AsyncDisposableStack,
): Promise<{ port: number; certificateAuthority: string }> {
  const now = new Date();
  const authority = await createCertificateAuthority({ commonName: "echo-ca", validDays: 1, now });
  const leaf = await issueCertificate(authority, {
    ...{ commonName: "echo", ipAddresses: ["127.0.0.1"], usage: "server", validDays: 1, now },
  });
  const port = findFreePort();
  const env = { ECHO_CERTIFICATE: leaf.certificate, ECHO_KEY: leaf.privateKey };
  const args = ["tests/bench/echo_server.ts", String(port)];
  resources.adopt(startProgram(stage.directory, { name: "echo", args, env }), (child) => child.stop());
  await until("the echo server listens", () => isListening(port));
  return { port, certificateAuthority: authority.certificate };
}
