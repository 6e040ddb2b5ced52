import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertificateAuthority, KeyPair } from "./certificate.ts";

/** Under which names and addresses a server is called. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** From when to when a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Reads when the (first) certificate of a PEM text begins and ends.
 *
 * Reads with the runtime's own parser, so that a process that only serves a certificate does not load a library.
 *
 * @throws {TypeError} if `pem` holds no readable certificate.
 */
export function certificateValidity(pem: string): Validity {
  const { validFrom, validTo } = parseCertificate(pem);
  return { notBefore: new Date(validFrom), notAfter: new Date(validTo) };
}

/** Whether two thirds of a certificate's life are over, by the wall clock. */
export function isRenewalDue(pem: string, now: Date): boolean {
  const { notBefore, notAfter } = certificateValidity(pem);
  const life = notAfter.getTime() - notBefore.getTime();
  return now.getTime() >= notBefore.getTime() + life * 2 / 3;
}

/**
 * Why nobody should serve with a pair: unreadable, key and certificate of two pairs, not valid now, or for other names.
 * One phrase, without anything of the key; `undefined` if it can be served.
 */
export function servingFault(pair: KeyPair, names: ServerNames, now: Date): string | undefined {
  try {
    const certificate = parseCertificate(pair.certificate);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.privateKey))) {
      return "its key belongs to another certificate";
    }
    const strangers = [
      ...names.dnsNames.filter((name) => certificate.checkHost(name) === undefined),
      ...names.ipAddresses.filter((address) => certificate.checkIP(address) === undefined),
    ];
    if (strangers.length > 0) return `it is not valid for ${strangers.join(", ")}`;
  } catch {
    // What a parser says of a broken key may quote it.
    return "it is not readable as PEM";
  }
  return validityFault(pair.certificate, now);
}

/** Why nothing should be signed with an authority, or trusted because of it. */
export function authorityFault(authority: CertificateAuthority, now: Date): string | undefined {
  try {
    const certificate = parseCertificate(authority.certificate);
    if (!certificate.ca) return "it is no authority";
    if (!certificate.checkPrivateKey(createPrivateKey(authority.privateKey))) return "its key belongs to another one";
  } catch {
    return "it is not readable as PEM";
  }
  return validityFault(authority.certificate, now);
}

/** Whether an authority signed a certificate; both are readable. */
export function isIssuedBy(pem: string, authority: string): boolean {
  const issuer = parseCertificate(authority);
  return parseCertificate(pem).verify(issuer.publicKey);
}

function validityFault(pem: string, now: Date): string | undefined {
  const { notBefore, notAfter } = certificateValidity(pem);
  if (now >= notAfter) return `it ended at ${notAfter.toISOString()}`;
  return now < notBefore ? `it begins only at ${notBefore.toISOString()}` : undefined;
}

function parseCertificate(pem: string): X509Certificate {
  try {
    const certificate = new X509Certificate(pem);
    if (!Number.isNaN(Date.parse(certificate.validTo))) return certificate;
  } catch {
    // The reason of the parser names ASN.1 details, which help nobody.
  }
  throw new TypeError("Cannot read a certificate: the text must be PEM with one X.509 certificate");
}
