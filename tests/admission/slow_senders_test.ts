import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { createConnection } from "node:net";
import { DEFAULT_LIMITS } from "../../handlers/admission/connection_relay.ts";
import { type ReviewListener, serveReviews } from "../../handlers/admission/review_listener.ts";
import { createAdmissionApp } from "../../handlers/admission/server.ts";
import { noTelemetry } from "../../handlers/operator/telemetry.ts";
import { fakeKind } from "../../handlers/fake_kind.ts";
import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";
import { silentLogger } from "../../kube/telemetry/logger.ts";
import { findFreePort } from "../../local/ports.ts";
import { databaseReview } from "../bench/review_body.ts";
import { streamReviews } from "../harness/review_stream.ts";
import { eventually } from "../harness/wait.ts";

const now = new Date();
const authority = await createCertificateAuthority({ commonName: "ca", validDays: 1, now });
const request = { commonName: "a", dnsNames: ["localhost"], usage: "server", validDays: 1, now } as const;
const [first, second] = await Promise.all([issueCertificate(authority, request), issueCertificate(authority, request)]);
const TOKEN = "0123456789abcdef0123456789abcdef";

interface Served {
  readonly port: number;
  readonly listener: ReviewListener;
}

const ROOM = 50;
/** Whoever sends all at once has time for it on a busy machine, too. */
const QUICK = { stalledMs: 2_000, idleMs: 2_000 };
const IMPATIENT = { stalledMs: 2_000, idleMs: 3_600_000 };
const PATIENT = { stalledMs: 3_600_000, idleMs: 3_600_000 };

function serve(tokens: readonly string[], limits: typeof QUICK): Served {
  const port = findFreePort();
  const probe = { answer: () => Promise.resolve(undefined) };
  const app = createAdmissionApp({
    kinds: [fakeKind()],
    probe,
    logger: silentLogger,
    telemetry: noTelemetry,
    tokens,
  });
  const listener = serveReviews({
    hostname: "127.0.0.1",
    port,
    pair: first,
    review: (each) => app.fetch(each),
    lingerMs: 1_000,
    limits: { ...DEFAULT_LIMITS, ...limits, maxConnections: ROOM },
  });
  return { port, listener };
}

function connect(port: number): Promise<Deno.TlsConn> {
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [authority.certificate] });
}

/** Connects, and answers all with a reset, as checks of a load balancer do. */
async function resetAtOnce(port: number): Promise<void> {
  const socket = createConnection(port, "127.0.0.1", () => socket.resetAndDestroy());
  await once(socket, "close");
}

/** Everything that comes until the other side ends. */
async function readAll(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4_096);
  let text = "";
  try {
    for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch {
    // Cut off in the middle.
  }
  connection.close();
  return text;
}

async function review(port: number, headers: Record<string, string> = {}): Promise<Response> {
  using client = Deno.createHttpClient({ caCerts: [authority.certificate] });
  const response = await fetch(`https://localhost:${port}/validate?timeout=5s`, {
    client,
    method: "POST",
    headers,
    body: databaseReview(),
  });
  return new Response(await response.text(), response);
}

Deno.test("a sender of half a handshake, half a header or nothing at all is cut off", async () => {
  const { port, listener } = serve([], IMPATIENT);
  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const halfHandshake = await Deno.connect({ hostname: "127.0.0.1", port });
  await halfHandshake.write(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00]));
  // With the last bytes of the handshake, so that the server's own last ones follow it.
  const halfHeader = await connect(port);
  await halfHeader.write(new TextEncoder().encode("POST /validate HTTP/1.1\r\nHost: a\r\n"));
  const ends = await Promise.all([silent, halfHandshake, halfHeader].map(readAll));
  assertEquals(ends, ["", "", ""]);
  assertEquals((await review(port)).status, 200);
  await listener.shutdown();
});

Deno.test("a sender of half a second request is cut off like one who rests", async () => {
  const { port, listener } = serve([], QUICK);
  const halfSecond = await connect(port);
  await halfSecond.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /validate HTTP/1.1\r\n"));
  assertEquals((await readAll(halfSecond)).startsWith("HTTP/1.1 404 "), true);
  await listener.shutdown();
});

Deno.test("a sender of half a body is answered 408 at its deadline, and its connection ends with that", async () => {
  const { port, listener } = serve([], IMPATIENT);
  const connection = await connect(port);
  const head = "POST /validate?timeout=1s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{";
  await connection.write(new TextEncoder().encode(head));
  assert((await readAll(connection)).startsWith("HTTP/1.1 408 "));
  await listener.shutdown();
});

Deno.test("reviews pass while more connections are opened than there is room for, and those quiet for longest go", async () => {
  const { port, listener } = serve([], PATIENT);
  const flood: Deno.TcpConn[] = [];
  const statuses: number[] = [];
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 2 * ROOM; index++) flood.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    statuses.push((await review(port)).status);
  }
  assertEquals(statuses, Array.from({ length: 10 }, () => 200));
  const eldest = flood.splice(0, flood.length - 2 * ROOM);
  assertEquals(new Set(await Promise.all(eldest.map(readAll))), new Set([""]));
  for (const each of flood) each.close();
  await listener.shutdown();
});

Deno.test("clients that are gone before they are accepted keep nobody waiting", async () => {
  const { port, listener } = serve([], PATIENT);
  const before = performance.now();
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 100 }, () => resetAtOnce(port)));
  assertEquals((await review(port)).status, 200);
  // Here each of them would cost the 10 ms that a listener without a file handle rests.
  assert(performance.now() - before < 5_000);
  await listener.shutdown();
});

Deno.test("a new certificate is shown to new connections, and the server of the old one ends", async () => {
  const { port, listener } = serve([], PATIENT);
  const kept = await connect(port);
  // Only who has said something is with a server.
  await kept.handshake();
  listener.replaceCertificate(second);
  assertEquals((await review(port)).status, 200);
  // It rests between two requests: after a while the old server hangs up.
  assertEquals(await readAll(kept), "");
  await listener.shutdown();
});

Deno.test("a replaced server ends under load over HTTP/1.1 and HTTP/2, and no review is lost", async () => {
  const { port, listener } = serve([], PATIENT);
  const body = databaseReview();
  using client = Deno.createHttpClient({ caCerts: [authority.certificate], http1: false });
  const state = { isGoing: true, answered: 0, lost: [] as string[] };
  const users = Array.from({ length: 10 }, async () => {
    while (state.isGoing) {
      try {
        const response = await fetch(`https://localhost:${port}/validate?timeout=5s`, { client, method: "POST", body });
        await response.text();
        if (response.status === 200) state.answered++;
        else state.lost.push(`status ${response.status}`);
      } catch (error) {
        state.lost.push(String(error));
      }
    }
  });
  const pair = [second, first];
  for (const each of [...pair, ...pair]) {
    const before = state.answered;
    listener.replaceCertificate(each);
    const stream = streamReviews(port, body, { connections: 4 });
    await stream.answers(200);
    listener.replaceCertificate(each);
    await stream.sentAway;
    const { lost } = await stream.stop();
    assertEquals(lost, []);
    await eventually("the other one goes on", () => state.answered > before + 200);
    await eventually("replaced servers have ended", () => listener.generations === 1);
  }
  state.isGoing = false;
  await Promise.all(users);
  assertEquals(state.lost, []);
  await listener.shutdown();
});

Deno.test("whoever has been told to leave gets no new certificate", async () => {
  const { port, listener } = serve([], QUICK);
  listener.closeConnections();
  listener.replaceCertificate(second);
  using client = Deno.createHttpClient({ caCerts: [authority.certificate], http2: false });
  const response = await fetch(`https://localhost:${port}/validate`, { client, method: "POST", body: "" });
  await response.body?.cancel();
  assertEquals([response.status, response.headers.get("connection")], [400, "close"]);
  await listener.shutdown();
});

Deno.test("with tokens, a review without one of them is refused before its body is read", async () => {
  const other = "fedcba9876543210fedcba9876543210";
  const { port, listener } = serve([TOKEN, other], PATIENT);
  const statuses: number[] = [];
  for (
    const authorization of [
      undefined,
      `Bearer ${TOKEN}x`,
      "Bearer",
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}`,
      `Bearer ${other}`,
    ]
  ) {
    statuses.push((await review(port, authorization === undefined ? {} : { authorization })).status);
  }
  assertEquals(statuses, [401, 401, 400, 400, 200, 200]);
  await listener.shutdown();
});
