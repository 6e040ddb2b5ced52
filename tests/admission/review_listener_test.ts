import { assertEquals, assertRejects } from "@std/assert";
import { lookAtListener } from "../../handlers/admission/listener_look.ts";
import { serveReviews } from "../../handlers/admission/review_listener.ts";
import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";
import { findFreePort } from "../../local/ports.ts";
import { streamReviews } from "../harness/review_stream.ts";
import { eventually } from "../harness/wait.ts";

const now = new Date();
const authority = await createCertificateAuthority({ commonName: "test-ca", validDays: 1, now });
const pair = await issueCertificate(authority, {
  commonName: "test",
  dnsNames: ["localhost"],
  ipAddresses: ["127.0.0.1"],
  usage: "server",
  validDays: 1,
  now,
});

/** A listener whose answers wait until they are released. */
function startListener() {
  const port = findFreePort();
  const gate = Promise.withResolvers<void>();
  let arrived = 0;
  const listener = serveReviews({
    hostname: "127.0.0.1",
    port,
    pair,
    review: async (request) => {
      arrived++;
      await gate.promise;
      return new Response(await request.text());
    },
  });
  return { port, listener, release: gate.resolve, arrived: () => arrived };
}

Deno.test("over HTTP/1.1 clients are sent away first, and no review is lost", async () => {
  const { port, listener, release } = startListener();
  release();
  const reviews = streamReviews(port, "{}", { connections: 50 });
  await reviews.answers(500);
  listener.closeConnections();
  await reviews.sentAway;
  const { lost, answered } = await reviews.stop();
  await listener.shutdown();
  assertEquals([lost, answered >= 500], [[], true]);
});

Deno.test("over HTTP/2 what is on its way is answered, and later ones find the listener closed", async () => {
  const { port, listener, release, arrived } = startListener();
  using client = Deno.createHttpClient({ caCerts: [authority.certificate] });
  const post = async (body: string) =>
    await (await fetch(`https://127.0.0.1:${port}/validate`, { client, method: "POST", body })).text();
  // More than sockets hold: some of it is still on its way when the server has said all.
  const bodies = Array.from({ length: 100 }, (_, index) => `review ${index}`.padEnd(100_000));
  const answers = Promise.all(bodies.map(post));
  await eventually("all of them have arrived", () => arrived() === bodies.length);
  listener.closeConnections();
  const closed = listener.shutdown();
  release();
  assertEquals(await answers, bodies);
  await closed;
  assertEquals(await post("late").catch(() => "refused"), "refused");
});

Deno.test("without an address callers reach it by IPv4 and, where there is IPv6, by that", async () => {
  const port = findFreePort();
  const listener = serveReviews({ port, pair, review: () => new Response("") });
  const loopbacks = Deno.networkInterfaces().map(({ address }) => address)
    .filter((address) => address === "127.0.0.1" || address === "::1");
  const reached: string[] = [];
  for (const hostname of loopbacks) {
    using _connection = await Deno.connect({ hostname, port });
    reached.push(hostname);
  }
  await listener.shutdown();
  assertEquals(reached.includes("127.0.0.1"), true);
});

Deno.test("a replica whose certificate somebody else makes looks at itself too: it answers, and what it shows is valid", async () => {
  const { port, listener, release } = startListener();
  const served = { pair, sharedSecret: "" };
  const look = (at: Date) => lookAtListener({ port, served, now: at }, AbortSignal.timeout(5_000));
  assertEquals(await look(now), true);
  const dayAfterTomorrow = new Date(now.getTime() + 2 * 86_400_000);
  await assertRejects(() => look(dayAfterTomorrow), Error, "the certificate cannot be served: it ended at");
  release();
  await listener.shutdown();
  await assertRejects(() => look(now), Error);
});
