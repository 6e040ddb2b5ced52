/** A certificate authority: it signs what this operator and its local control plane present to each other. */
export interface CertificateAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
}

/** A certificate with its key, as a TLS server or client wants them. */
export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
}

export interface AuthorityOptions {
  readonly commonName: string;
  readonly validDays: number;
  readonly now: Date;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** The group, in a client certificate for Kubernetes. */
  readonly organization?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usage: "server" | "client";
  readonly validDays: number;
  readonly now: Date;
}

type X509 = typeof import("@peculiar/x509");

const KEY_ALGORITHM: EcKeyGenParams = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING_ALGORITHM: EcdsaParams = { name: "ECDSA", hash: "SHA-256" };
const DAY_MS = 86_400_000;
/** Certificates begin in the past, because the clocks of two machines differ. */
const BACKDATE_MS = 3_600_000;

/**
 * Makes a self-signed authority: ECDSA P-256, X.509 v3, allowed to sign certificates and no other authority.
 *
 * @example
 * ```ts ignore
 * const authority = await createCertificateAuthority({ commonName: "tablewright-ca", validDays: 365, now: new Date() });
 * ```
 */
export async function createCertificateAuthority(options: AuthorityOptions): Promise<CertificateAuthority> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: distinguishedName(x509, options.commonName),
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    ...validity(options),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: toPem("CERTIFICATE", certificate.rawData), privateKey: await exportPrivateKey(keys) };
}

/** Issues a leaf certificate with a new key under `authority`. */
export async function issueCertificate(authority: CertificateAuthority, request: CertificateRequest): Promise<KeyPair> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: distinguishedName(x509, request.commonName, request.organization),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKey),
    signingAlgorithm: SIGNING_ALGORITHM,
    ...validity(request),
    extensions: await leafExtensions(x509, { request, issuer, publicKey: keys.publicKey }),
  });
  return { certificate: toPem("CERTIFICATE", certificate.rawData), privateKey: await exportPrivateKey(keys) };
}

/** Makes a bare ECDSA P-256 key pair in PEM (PKCS#8 and SPKI), as service account tokens are signed with. */
export async function createKeyPair(): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const keys = await generateKeys();
  const publicKey = await crypto.subtle.exportKey("spki", keys.publicKey);
  return { privateKey: await exportPrivateKey(keys), publicKey: toPem("PUBLIC KEY", publicKey) };
}

/** Loaded on the first use only: it costs 22 MB and 130 ms, and a start that finds its certificate needs neither. */
async function loadX509(): Promise<X509> {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

async function leafExtensions(
  x509: X509,
  { request, issuer, publicKey }: {
    request: CertificateRequest;
    issuer: InstanceType<X509["X509Certificate"]>;
    publicKey: CryptoKey;
  },
): Promise<InstanceType<X509["Extension"]>[]> {
  const purpose = request.usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([purpose], false),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, false)]),
  ];
}

function validity({ now, validDays }: { now: Date; validDays: number }): {
  serialNumber: string;
  notBefore: Date;
  notAfter: Date;
} {
  if (!Number.isFinite(validDays) || validDays <= 0) {
    throw new RangeError(`Cannot issue a certificate: validDays must be positive: current value is ${validDays}`);
  }
  return {
    serialNumber: randomSerialNumber(),
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + validDays * DAY_MS),
  };
}

/** Hexadecimal, 127 bits: unique by chance, and positive because the first bit is clear. */
function randomSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Built from parts and not from text: a name may then hold commas and equal signs. */
function distinguishedName(x509: X509, commonName: string, organization?: string): InstanceType<X509["Name"]> {
  return new x509.Name([
    ...(organization === undefined ? [] : [{ O: [organization] }]),
    { CN: [commonName] },
  ]);
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function exportPrivateKey(keys: CryptoKeyPair): Promise<string> {
  return toPem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey));
}

async function importPrivateKey(pem: string): Promise<CryptoKey> {
  const body = pem.replaceAll(/-----[^-]+-----|\s/g, "");
  const der = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
  return await crypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
}

function toPem(label: string, der: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(der)));
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
