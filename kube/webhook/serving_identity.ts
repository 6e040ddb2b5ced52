import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
  type KeyPair,
} from "./certificate.ts";
import {
  authorityFault,
  certificateValidity,
  isIssuedBy,
  isRenewalDue,
  type ServerNames,
  servingFault,
} from "./certificate_fault.ts";

/** What the replicas of one operator serve webhooks with. */
export interface ServingIdentity {
  /** Signs what is served. */
  readonly authority: CertificateAuthority;
  /** Is trusted already, and signs from the moment on when every API server must have heard of it. */
  readonly nextAuthority?: CertificateAuthority;
  /** PEM, one certificate each: authorities of before, until they end. */
  readonly formerAuthorities: readonly string[];
  readonly leaf: KeyPair;
}

/** Whose identity it is. */
export interface IdentitySubject {
  readonly commonName: string;
  readonly names: ServerNames;
}

/** What is to be done with an identity now, decided by the wall clock alone: a machine may have slept. */
export type IdentityStep =
  | { readonly kind: "keep" }
  | { readonly kind: "replace"; readonly reason: string }
  | { readonly kind: "replaceLeaf"; readonly reason: string }
  | { readonly kind: "renewLeaf" }
  /** Makes the next authority known, without using it yet. */
  | { readonly kind: "announceAuthority" }
  /** Once the next authority is known everywhere. */
  | { readonly kind: "useNextAuthority" };

const AUTHORITY_DAYS = 365;
const LEAF_DAYS = 90;

/** Says what an identity needs. Pure but for the parser. */
export function nextIdentityStep(identity: ServingIdentity, names: ServerNames, now: Date): IdentityStep {
  const authority = authorityFault(identity.authority, now);
  if (authority !== undefined) return { kind: "replace", reason: `the authority cannot be used: ${authority}` };
  const leaf = leafFault(identity, names, now);
  if (leaf !== undefined) return { kind: "replaceLeaf", reason: leaf };
  // First, since the next authority may have to wait for long.
  if (isRenewalDue(identity.leaf.certificate, now)) return { kind: "renewLeaf" };
  if (identity.nextAuthority !== undefined) {
    // One that was damaged or has ended meanwhile is announced anew.
    const isUsable = authorityFault(identity.nextAuthority, now) === undefined;
    return { kind: isUsable ? "useNextAuthority" : "announceAuthority" };
  }
  return { kind: isRenewalDue(identity.authority.certificate, now) ? "announceAuthority" : "keep" };
}

/** Why an identity cannot be served; `undefined` if it can, renewal due or not. */
export function identityFault(identity: ServingIdentity, names: ServerNames, now: Date): string | undefined {
  const step = nextIdentityStep(identity, names, now);
  return step.kind === "replace" || step.kind === "replaceLeaf" ? step.reason : undefined;
}

/** Carries a step out; what the step does not concern stays as it is. */
export async function takeIdentityStep(
  identity: ServingIdentity,
  step: IdentityStep,
  { subject, now }: { readonly subject: IdentitySubject; readonly now: Date },
): Promise<ServingIdentity> {
  switch (step.kind) {
    case "keep":
      return identity;
    case "replace":
      return { ...await createServingIdentity(subject, now), formerAuthorities: trustedBefore(identity, now) };
    case "replaceLeaf":
    case "renewLeaf":
      return { ...identity, leaf: await issueLeaf(identity.authority, subject, now) };
    case "announceAuthority":
      return { ...identity, nextAuthority: await createAuthority(subject, now) };
    case "useNextAuthority":
      return await useNextAuthority(identity, subject, now);
  }
}

/** Makes an authority, and a certificate under it. */
export async function createServingIdentity(subject: IdentitySubject, now: Date): Promise<ServingIdentity> {
  const authority = await createAuthority(subject, now);
  return { authority, formerAuthorities: [], leaf: await issueLeaf(authority, subject, now) };
}

/** What the API server is to trust: the authorities of now, next and before that have not ended. PEM, a line break between each. */
export function caBundleOf(identity: ServingIdentity, now: Date): string {
  const { authority, nextAuthority, formerAuthorities } = identity;
  const next = nextAuthority === undefined ? [] : [nextAuthority.certificate];
  const all = [authority.certificate, ...next, ...formerAuthorities.filter((pem) => !hasEnded(pem, now))];
  return [...new Set(all.map((pem) => pem.trim()))].join("\n") + "\n";
}

async function useNextAuthority(
  identity: ServingIdentity,
  subject: IdentitySubject,
  now: Date,
): Promise<ServingIdentity> {
  const { nextAuthority } = identity;
  if (nextAuthority === undefined) return identity;
  return {
    authority: nextAuthority,
    formerAuthorities: trustedBefore(identity, now),
    leaf: await issueLeaf(nextAuthority, subject, now),
  };
}

/** A replica serves the old certificate until it has read the new one. */
function trustedBefore({ authority, formerAuthorities }: ServingIdentity, now: Date): readonly string[] {
  return [authority.certificate, ...formerAuthorities].filter((pem) => !hasEnded(pem, now));
}

function leafFault({ leaf, authority }: ServingIdentity, names: ServerNames, now: Date): string | undefined {
  const fault = servingFault(leaf, names, now);
  if (fault !== undefined) return `the certificate cannot be served: ${fault}`;
  const isOurs = isIssuedBy(leaf.certificate, authority.certificate);
  return isOurs ? undefined : "the certificate cannot be served: another authority signed it";
}

function hasEnded(pem: string, now: Date): boolean {
  try {
    return certificateValidity(pem).notAfter <= now;
  } catch {
    return true;
  }
}

async function createAuthority({ commonName }: IdentitySubject, now: Date): Promise<CertificateAuthority> {
  return await createCertificateAuthority({ commonName: `${commonName}-ca`, validDays: AUTHORITY_DAYS, now });
}

async function issueLeaf(authority: CertificateAuthority, subject: IdentitySubject, now: Date): Promise<KeyPair> {
  const { commonName, names } = subject;
  return await issueCertificate(authority, { commonName, ...names, usage: "server", validDays: LEAF_DAYS, now });
}
