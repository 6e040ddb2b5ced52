import { assertEquals, assertRejects } from "@std/assert";
import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";
import { createFakeTiming } from "../../kube/fake_timing.ts";
import { memoryLogger } from "../../kube/telemetry/logger.ts";
import { noMetrics, openMetrics } from "../../kube/telemetry/metrics.ts";
import type { ServedCertificate } from "../../kube/webhook/serving_certificates.ts";
import { readBearerTokens } from "./bearer_tokens.ts";
import { CertificateDirectory } from "./certificate_directory.ts";
import { StartError } from "../errors.ts";
import { warnOfExpiry } from "./expiry_warning.ts";

const now = new Date(createFakeTiming().now());
const authority = await createCertificateAuthority({ commonName: "ca", validDays: 365, now });
const request = { commonName: "a", usage: "server", validDays: 90, now } as const;
const [first, second] = await Promise.all([issueCertificate(authority, request), issueCertificate(authority, request)]);

function folderOf(pair: { certificate: string; privateKey: string }) {
  const files = new Map([["/certs/tls.crt", pair.certificate], ["/certs/tls.key", pair.privateKey]]);
  const readTextFile = async (path: string) => files.get(path) ?? "";
  return { files, readTextFile };
}

Deno.test("CertificateDirectory serves what stands in the folder, and a new pair once it is whole, and counts its looks", async () => {
  const [timing, logger, stop] = [createFakeTiming(), memoryLogger(), new AbortController()];
  const { files, readTextFile } = folderOf(first);
  const metrics = await openMetrics();
  const directory = await CertificateDirectory.open({ path: "/certs", readTextFile, timing, logger, metrics });
  const changes: ServedCertificate[] = [];
  const following = directory.follow((served) => changes.push(served), stop.signal);
  await timing.tick(10_000);
  // The key comes a moment later.
  files.set("/certs/tls.crt", second.certificate);
  await timing.tick(30_000);
  assertEquals([changes.length, directory.served.pair], [0, first]);
  assertEquals(logger.entries.length, 1);
  files.set("/certs/tls.key", second.privateKey);
  await timing.tick(10_000);
  assertEquals(changes.map(({ pair, caBundle }) => [pair, caBundle]), [[second, undefined]]);
  assertEquals(directory.served.pair, second);
  const counted = (await metrics.render()).split("\n").filter((line) => line.startsWith("certwatcher_"));
  // At the start, at once when followed, and five times later; three of these found half of a pair.
  assertEquals(counted, ["certwatcher_read_certificate_total 7", "certwatcher_read_certificate_errors_total 3"]);
  stop.abort();
  await following;
  assertEquals(timing.pending(), 0);
});

Deno.test("CertificateDirectory.open() refuses a folder without a pair that can be served", async () => {
  const timing = createFakeTiming();
  const foreign = folderOf({ certificate: first.certificate, privateKey: second.privateKey });
  for (const { readTextFile } of [folderOf({ certificate: "", privateKey: "" }), foreign]) {
    const options = { path: "/certs", readTextFile, timing, logger: memoryLogger(), metrics: noMetrics };
    const opening = CertificateDirectory.open(options);
    await assertRejects(() => opening, StartError, "Cannot use the certificate in --cert-dir: ");
  }
});

Deno.test("warnOfExpiry() warns daily in the last quarter of a certificate's life", async () => {
  const [timing, logger, stop] = [createFakeTiming(), memoryLogger(), new AbortController()];
  const day = 24 * 60 * 60_000;
  const certificates = { served: { pair: first, sharedSecret: "" } };
  const warning = warnOfExpiry({ certificates, timing, logger }, stop.signal);
  await timing.tick(67 * day);
  assertEquals(logger.entries.length, 0);
  await timing.tick(3 * day);
  assertEquals(logger.entries.length, 3);
  stop.abort();
  await warning;
});

Deno.test("readBearerTokens() takes one token a line, and names no token in a fault", async () => {
  const read = (text: string) => readBearerTokens("/tokens", () => Promise.resolve(text));
  assertEquals(await readBearerTokens(undefined, () => Promise.reject(new Error("unread"))), []);
  assertEquals(await read("0123456789abcdef\n\nfedcba9876543210=\n"), ["0123456789abcdef", "fedcba9876543210="]);
  for (const text of ["", "short", "0123456789abcdef 0123456789abcdef", "0123456789abcdef\nshort"]) {
    const error = await assertRejects(() => read(text), StartError, "Cannot use --webhook-token-file");
    assertEquals(error.message.includes("0123456789abcdef"), false);
  }
});
