import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { certificateValidity } from "./certificate_fault.ts";
import {
  caBundleOf,
  createServingIdentity,
  identityFault,
  nextIdentityStep,
  type ServingIdentity,
  takeIdentityStep,
} from "./serving_identity.ts";

const names = { dnsNames: ["tablewright.ops.svc", "localhost"], ipAddresses: ["127.0.0.1"] };
const subject = { commonName: "tablewright", names };
const start = new Date("2026-01-01T00:00:00Z");
const identity = await createServingIdentity(subject, start);

function after(days: number): Date {
  return new Date(start.getTime() + days * 86_400_000);
}

async function take(from: ServingIdentity, now: Date): Promise<ServingIdentity> {
  return await takeIdentityStep(from, nextIdentityStep(from, names, now), { subject, now });
}

function countOf(bundle: string): number {
  return bundle.split("-----BEGIN CERTIFICATE-----").length - 1;
}

Deno.test("createServingIdentity() makes an authority for a year and a certificate for 90 days", () => {
  assertEquals(certificateValidity(identity.authority.certificate).notAfter, after(365));
  assertEquals(certificateValidity(identity.leaf.certificate).notAfter, after(90));
  assertEquals(nextIdentityStep(identity, names, start), { kind: "keep" });
});

Deno.test("a certificate is renewed after two thirds of its life, under the same authority", async () => {
  assertEquals(nextIdentityStep(identity, names, after(59)).kind, "keep");
  assertEquals(nextIdentityStep(identity, names, after(60)).kind, "renewLeaf");

  const renewed = await take(identity, after(60));
  assertEquals(renewed.authority, identity.authority);
  assertEquals(certificateValidity(renewed.leaf.certificate).notAfter, after(150));
  assertEquals(nextIdentityStep(renewed, names, after(60)).kind, "keep");
});

Deno.test("a machine that slept past every renewal finds out by its clock alone", async () => {
  const late = after(400);
  const step = nextIdentityStep(identity, names, late);
  assertEquals(step.kind, "replace");
  const replaced = await take(identity, late);
  assertEquals(identityFault(replaced, names, late), undefined);
  // What has ended is trusted no more.
  assertEquals(countOf(caBundleOf(replaced, late)), 1);
});

Deno.test("an authority is announced, then used, and trusted until it ends", async () => {
  const current = await take(identity, after(230));
  assertEquals(nextIdentityStep(current, names, after(244)).kind, "announceAuthority");

  const announced = await take(current, after(244));
  assertEquals(announced.leaf, current.leaf);
  assertEquals(countOf(caBundleOf(announced, after(244))), 2);
  assertEquals(nextIdentityStep(announced, names, after(244)).kind, "useNextAuthority");

  const used = await take(announced, after(244));
  assertNotEquals(used.leaf, announced.leaf);
  assertEquals(used.authority, announced.nextAuthority);
  assertEquals(used.nextAuthority, undefined);
  assertEquals(nextIdentityStep(used, names, after(244)).kind, "keep");
  assertEquals(countOf(caBundleOf(used, after(364))), 2);
  assertEquals(countOf(caBundleOf(used, after(365))), 1);
});

Deno.test("the CA bundle has a line break between certificates, whatever their texts end with", () => {
  const glued = { ...identity, formerAuthorities: [identity.leaf.certificate.trim()] };
  const bundle = caBundleOf(glued, start);
  assertEquals(bundle.includes("-----END CERTIFICATE----------BEGIN"), false);
  assert(bundle.endsWith("-----END CERTIFICATE-----\n"));
});

Deno.test("nextIdentityStep() replaces a certificate that is for other names, damaged, or signed by somebody else", async () => {
  const other = await createServingIdentity(subject, start);
  const renamed = { ...names, dnsNames: ["other.ops.svc"] };
  const cases: readonly (readonly [ServingIdentity, typeof names, string])[] = [
    [identity, renamed, "the certificate cannot be served: it is not valid for other.ops.svc"],
    [
      { ...identity, leaf: { ...identity.leaf, privateKey: other.leaf.privateKey } },
      names,
      "the certificate cannot be served: its key belongs to another certificate",
    ],
    [
      { ...identity, leaf: { certificate: "x", privateKey: "y" } },
      names,
      "the certificate cannot be served: it is not readable as PEM",
    ],
    [{ ...identity, leaf: other.leaf }, names, "the certificate cannot be served: another authority signed it"],
  ];
  for (const [damaged, wanted, reason] of cases) {
    assertEquals(nextIdentityStep(damaged, wanted, start), { kind: "replaceLeaf", reason });
    const repaired = await takeIdentityStep(damaged, { kind: "replaceLeaf", reason }, {
      subject: { ...subject, names: wanted },
      now: start,
    });
    assertEquals(repaired.authority, identity.authority);
    assertEquals(identityFault(repaired, wanted, start), undefined);
  }
});

Deno.test("nextIdentityStep() replaces everything under an authority that cannot sign", async () => {
  for (const authority of [{ certificate: "", privateKey: "" }, identity.leaf]) {
    const step = nextIdentityStep({ ...identity, authority }, names, start);
    assertEquals(step.kind, "replace");
    const replaced = await takeIdentityStep({ ...identity, authority }, step, { subject, now: start });
    assertEquals(identityFault(replaced, names, start), undefined);
  }
});
