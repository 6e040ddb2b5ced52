import { join } from "@std/path";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  createKeyPair,
  issueCertificate,
  type KeyPair,
} from "../kube/webhook/certificate.ts";
import { certificateValidity } from "../kube/webhook/certificate_fault.ts";
import { readTextIfPresent, writeFileAtomically } from "./files.ts";

/** Everything that a control plane and its administrator present to each other; PEM texts. */
export interface ControlPlaneCertificates {
  readonly authority: CertificateAuthority;
  readonly server: KeyPair;
  readonly admin: KeyPair;
  readonly serviceAccount: { readonly privateKey: string; readonly publicKey: string };
}

/** The same as files, for programs that take only paths. */
export interface CertificateFiles {
  readonly authority: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
}

export interface CertificatesOptions {
  readonly directory: string;
  /** Addresses under which the API server is called, beside the usual ones. */
  readonly addresses: readonly string[];
  readonly now: Date;
}

interface Stored extends ControlPlaneCertificates {
  readonly addresses: readonly string[];
}

const AUTHORITY_DAYS = 365;
const LEAF_DAYS = 90;
/** A run that begins just before this keeps working for as long. */
const RENEW_BEFORE_MS = 30 * 86_400_000;
const DNS_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
/** 10.0.0.1 is the first address of the Service range: the Service `kubernetes`. */
const IP_ADDRESSES = ["127.0.0.1", "10.0.0.1"];

/**
 * Reads the certificates of a control plane, or makes them anew, all together, when there are none, one is unreadable or near its
 * end, or the addresses differ. The service account key is kept if it can be: tokens are signed with it.
 */
export async function ensureCertificates(
  options: CertificatesOptions,
): Promise<{ readonly certificates: ControlPlaneCertificates; readonly files: CertificateFiles }> {
  await Deno.mkdir(options.directory, { recursive: true, mode: 0o700 });
  const path = join(options.directory, "certificates.json");
  const addresses = [...new Set([...IP_ADDRESSES, ...options.addresses])];
  const stored = parseStored(readTextIfPresent(path));
  if (stored !== undefined && isUsable(stored, { addresses, now: options.now })) {
    return { certificates: stored, files: writeFiles(options.directory, stored) };
  }
  const certificates = await createCertificates({ addresses, now: options.now, kept: stored?.serviceAccount });
  writeFileAtomically(path, JSON.stringify({ ...certificates, addresses }), { mode: 0o600 });
  return { certificates, files: writeFiles(options.directory, certificates) };
}

async function createCertificates(
  { addresses, now, kept }: {
    addresses: readonly string[];
    now: Date;
    kept: ControlPlaneCertificates["serviceAccount"] | undefined;
  },
): Promise<ControlPlaneCertificates> {
  const authority = await createCertificateAuthority({
    commonName: "tablewright-local-ca",
    validDays: AUTHORITY_DAYS,
    now,
  });
  const leaf = { validDays: LEAF_DAYS, now };
  const [server, admin, serviceAccount] = await Promise.all([
    issueCertificate(authority, {
      ...leaf,
      commonName: "kube-apiserver",
      usage: "server",
      dnsNames: DNS_NAMES,
      ipAddresses: addresses,
    }),
    issueCertificate(authority, { ...leaf, commonName: "admin", organization: "system:masters", usage: "client" }),
    kept ?? createKeyPair(),
  ]);
  return { authority, server, admin, serviceAccount };
}

function writeFiles(directory: string, certificates: ControlPlaneCertificates): CertificateFiles {
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    if (readTextIfPresent(path) !== text) writeFileAtomically(path, text, { mode: 0o600 });
    return path;
  };
  return {
    authority: write("ca.crt", certificates.authority.certificate),
    serverCertificate: write("kube-apiserver.crt", certificates.server.certificate),
    serverKey: write("kube-apiserver.key", certificates.server.privateKey),
    serviceAccountKey: write("service-account.key", certificates.serviceAccount.privateKey),
    serviceAccountPublicKey: write("service-account.pub", certificates.serviceAccount.publicKey),
  };
}

function isUsable(stored: Stored, { addresses, now }: { addresses: readonly string[]; now: Date }): boolean {
  if (addresses.join() !== stored.addresses.join()) return false;
  const certificates = [stored.authority, stored.server, stored.admin].map((pair) => pair.certificate);
  try {
    return certificates.every((pem) => certificateValidity(pem).notAfter.getTime() - now.getTime() > RENEW_BEFORE_MS);
  } catch {
    return false;
  }
}

function parseStored(text: string | undefined): Stored | undefined {
  try {
    const stored = JSON.parse(text ?? "") as Stored;
    const pairs = [stored.authority, stored.server, stored.admin];
    const texts = [
      ...pairs.flatMap((pair) => [pair.certificate, pair.privateKey]),
      stored.serviceAccount.privateKey,
      stored.serviceAccount.publicKey,
      ...stored.addresses,
    ];
    return texts.every((each) => typeof each === "string" && each !== "") ? stored : undefined;
  } catch {
    return undefined;
  }
}
