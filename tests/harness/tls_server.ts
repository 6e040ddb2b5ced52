import { findFreePort } from "../../local/ports.ts";
import { startPostgres, THROWAWAY_SETTINGS } from "../../local/postgres_server.ts";
import { createCertificateAuthority, issueCertificate } from "../../kube/webhook/certificate.ts";

/** A PostgreSQL of its own that offers TLS. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  readonly superuserUrl: string;
  /** PEM: the authority that has signed the server's certificate. */
  readonly authority: string;
  /** PEM: one that has not. */
  readonly otherAuthority: string;
}

/** Of the user `nobody`, who runs PostgreSQL when the test is root. */
const NOBODY = 65_534;

/** @param dnsNames That the certificate is for: `127.0.0.1` is not among them. */
export async function startTlsServer(dnsNames: readonly string[]): Promise<TlsServer> {
  const directory = await Deno.makeTempDir({ prefix: "tablewright-tls-" });
  const now = new Date();
  const make = (commonName: string) => createCertificateAuthority({ commonName, validDays: 1, now });
  const [authority, other] = await Promise.all([make("right"), make("wrong")]);
  const request = { commonName: "postgres", dnsNames, usage: "server", validDays: 1, now } as const;
  const pair = await issueCertificate(authority, request);
  const files = { certificate: `${directory}/server.crt`, key: `${directory}/server.key` };
  await Deno.writeTextFile(files.certificate, pair.certificate);
  await Deno.writeTextFile(files.key, pair.privateKey, { mode: 0o600 });
  if (Deno.uid() === 0) { for (const file of Object.values(files)) await Deno.chown(file, NOBODY, NOBODY); }
  const port = findFreePort();
  const settings = { ...THROWAWAY_SETTINGS, ssl: "on", ssl_cert_file: files.certificate, ssl_key_file: files.key };
  const server = await startPostgres({ directory, port, settings }, new AbortController().signal);
  return {
    port,
    superuserUrl: server.superuserUrl,
    authority: authority.certificate,
    otherAuthority: other.certificate,
    async [Symbol.asyncDispose]() {
      await server.stop("immediate");
      await Deno.remove(directory, { recursive: true });
    },
  };
}
