import { assert, assertEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { createCertificateAuthority, createKeyPair, issueCertificate } from "./certificate.ts";
import { certificateValidity } from "./certificate_fault.ts";

const now = new Date("2026-03-01T12:00:00Z");

Deno.test("createCertificateAuthority() makes a self-signed X.509 v3 authority that ends after validDays", async () => {
  const authority = await createCertificateAuthority({ commonName: "test, O=evil", validDays: 365, now });
  const parsed = new X509Certificate(authority.certificate);

  assert(parsed.ca);
  assert(parsed.verify(parsed.publicKey));
  assertEquals(parsed.subject.includes("\nO=evil"), false);
  assertEquals(certificateValidity(authority.certificate).notAfter, new Date("2027-03-01T12:00:00Z"));
});

Deno.test("issueCertificate() signs a server certificate with its names and addresses", async () => {
  const authority = await createCertificateAuthority({ commonName: "ca", validDays: 365, now });
  const leaf = await issueCertificate(authority, {
    commonName: "webhook",
    dnsNames: ["localhost", "a.b.svc"],
    ipAddresses: ["127.0.0.1", "::1"],
    usage: "server",
    validDays: 90,
    now,
  });
  const parsed = new X509Certificate(leaf.certificate);
  const issuer = new X509Certificate(authority.certificate);

  assert(parsed.checkIssued(issuer));
  assert(parsed.verify(issuer.publicKey));
  assertEquals(parsed.ca, false);
  assertEquals(parsed.checkHost("a.b.svc"), "a.b.svc");
  assertEquals(parsed.checkHost("a.c.svc"), undefined);
  assertEquals(parsed.checkIP("127.0.0.1"), "127.0.0.1");
  assertEquals(parsed.checkIP("::1"), "::1");
  assertEquals(certificateValidity(leaf.certificate).notAfter, new Date("2026-05-30T12:00:00Z"));
});

Deno.test("issueCertificate() puts the organization of a client into the subject and never repeats a serial", async () => {
  const authority = await createCertificateAuthority({ commonName: "ca", validDays: 365, now });
  const request = { commonName: "admin", organization: "system:masters", usage: "client", validDays: 1, now } as const;
  const first = new X509Certificate((await issueCertificate(authority, request)).certificate);
  const second = new X509Certificate((await issueCertificate(authority, request)).certificate);

  assertEquals(first.subject.split("\n").toSorted(), ["CN=admin", "O=system:masters"]);
  assert(first.serialNumber !== second.serialNumber);
});

Deno.test("createKeyPair() makes PEM of a private and a public key", async () => {
  const keys = await createKeyPair();

  assert(keys.privateKey.startsWith("-----BEGIN PRIVATE KEY-----\n"));
  assert(keys.publicKey.startsWith("-----BEGIN PUBLIC KEY-----\n"));
});

Deno.test("createCertificateAuthority() refuses a validity that is not positive", async () => {
  await assertRejects(
    () => createCertificateAuthority({ commonName: "ca", validDays: 0, now }),
    RangeError,
    "validDays must be positive: current value is 0",
  );
});
