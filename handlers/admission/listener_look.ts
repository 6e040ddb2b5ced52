import * as tls from "node:tls";
import { servingFault } from "../../kube/webhook/certificate_fault.ts";
import type { ServedCertificate } from "../../kube/webhook/serving_certificates.ts";

const NO_NAMES = { dnsNames: [], ipAddresses: [] };

/** Our own listener, as it should be. */
export interface ExpectedListener {
  readonly port: number;
  readonly served: ServedCertificate;
  /** By the wall clock. */
  readonly now: Date;
}

/**
 * Calls our own listener as the API server will: over TLS, with a certificate that is valid now.
 *
 * @returns whether it answers as it should.
 * @throws what keeps it from answering, or what is wrong with its certificate.
 */
export async function lookAtListener({ port, served, now }: ExpectedListener, signal: AbortSignal): Promise<boolean> {
  const { caBundle, pair } = served;
  if (caBundle !== undefined) return await asksAs(caBundle, port, signal);
  // Whom to trust is somebody else's matter then: that it is ours, and valid, is all that can be seen from here.
  const fault = servingFault(pair, NO_NAMES, now);
  if (fault !== undefined) throw new Error(`the certificate cannot be served: ${fault}`);
  await greet(port, signal);
  return true;
}

async function asksAs(caBundle: string, port: number, signal: AbortSignal): Promise<boolean> {
  using http = Deno.createHttpClient({ caCerts: [caBundle] });
  const response = await fetch(`https://localhost:${port}/`, { client: http, signal });
  await response.body?.cancel();
  return response.status < 500;
}

/** Shakes hands over TLS and leaves. */
function greet(port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false });
    const onAbort = () => settle(() => reject(signal.reason));
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", onAbort);
      socket.off("secureConnect", onGreeted).off("error", onError);
      // Whatever it says on its way out concerns nobody.
      socket.on("error", () => {}).destroy();
      act();
    };
    const onGreeted = () => settle(resolve);
    const onError = (error: Error) => settle(() => reject(error));
    socket.once("secureConnect", onGreeted).once("error", onError);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
