import { certificateValidity, servingFault } from "../../kube/webhook/certificate_fault.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { ServedCertificate, ServingCertificates } from "../../kube/webhook/serving_certificates.ts";
import { pause, type Timing } from "../../kube/timing.ts";
import { StartError } from "../errors.ts";

export interface CertificateDirectoryOptions {
  readonly path: string;
  readonly readTextFile: (path: string) => Promise<string>;
  readonly timing: Pick<Timing, "now" | "delay">;
  readonly logger: Logger;
}

/** A kubelet replaces the files of a Secret by turning a link: that is seen by reading, and not by every file watch. */
const LOOK_MS = 10_000;

/**
 * Certificates that somebody else (cert-manager) makes and renews in a folder: `tls.crt` and `tls.key`. Whoever makes them also tells
 * the API server whom to trust, so that nothing is said of a CA bundle here. For which names they are is that one's matter too.
 */
export class CertificateDirectory implements ServingCertificates {
  readonly #options: CertificateDirectoryOptions;
  #served: ServedCertificate;

  private constructor(options: CertificateDirectoryOptions, served: ServedCertificate) {
    this.#options = options;
    this.#served = served;
  }

  /** @throws {StartError} one line, if the folder holds no pair that can be served. */
  static async open(options: CertificateDirectoryOptions): Promise<CertificateDirectory> {
    const read = await readPair(options);
    if (typeof read === "string") throw new StartError(`Cannot use the certificate in --cert-dir: ${read}`);
    return new CertificateDirectory(options, read);
  }

  get served(): ServedCertificate {
    return this.#served;
  }

  async follow(onChange: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void> {
    const { timing, logger, path } = this.#options;
    let complained: string | undefined;
    while (!signal.aborted) {
      const read = await readPair(this.#options);
      if (typeof read === "string") {
        // Half of a pair may have been written: the old one is served on.
        if (read !== complained) logger.warn("the certificate in --cert-dir cannot be used", { path, reason: read });
        complained = read;
      } else {
        complained = undefined;
        if (read.pair.certificate !== this.#served.pair.certificate) this.#adopt(read, onChange);
      }
      await pause(timing, LOOK_MS, signal);
    }
  }

  /** Nothing is renewed by us. */
  lead(): Promise<void> {
    return Promise.resolve();
  }

  #adopt(served: ServedCertificate, onChange: (served: ServedCertificate) => void): void {
    this.#served = served;
    const { notAfter } = certificateValidity(served.pair.certificate);
    this.#options.logger.info("webhook certificate read anew", { certificateEnds: notAfter.toISOString() });
    onChange(served);
  }
}

/** The pair, or in one phrase what is wrong with it. */
async function readPair(options: CertificateDirectoryOptions): Promise<ServedCertificate | string> {
  const { path, readTextFile, timing } = options;
  try {
    const [certificate, privateKey] = await Promise.all([
      readTextFile(`${path}/tls.crt`),
      readTextFile(`${path}/tls.key`),
    ]);
    const fault = servingFault({ certificate, privateKey }, { dnsNames: [], ipAddresses: [] }, new Date(timing.now()));
    return fault ?? { pair: { certificate, privateKey }, sharedSecret: privateKey };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
