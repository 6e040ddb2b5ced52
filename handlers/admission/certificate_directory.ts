import { certificateValidity, servingFault } from "../../kube/webhook/certificate_fault.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Counter, Metrics } from "../../kube/telemetry/metrics.ts";
import type { ServedCertificate, ServingCertificates } from "../../kube/webhook/serving_certificates.ts";
import { pause, type Timing } from "../../kube/timing.ts";
import { StartError } from "../errors.ts";

export interface CertificateDirectoryOptions {
  readonly path: string;
  readonly readTextFile: (path: string) => Promise<string>;
  readonly timing: Pick<Timing, "now" | "delay">;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "counter">;
}

/** A kubelet replaces the files of a Secret by turning a link: that is seen by reading, and not by every file watch. */
const LOOK_MS = 10_000;

/**
 * Certificates that somebody else (cert-manager) makes and renews in a folder: `tls.crt` and `tls.key`. Whoever makes them also tells
 * the API server whom to trust, so that nothing is said of a CA bundle here. For which names they are is that one's matter too.
 */
export class CertificateDirectory implements ServingCertificates {
  readonly #options: CertificateDirectoryOptions;
  readonly #reader: PairReader;
  #served: ServedCertificate;

  private constructor(options: CertificateDirectoryOptions, reader: PairReader, served: ServedCertificate) {
    this.#options = options;
    this.#reader = reader;
    this.#served = served;
  }

  /** @throws {StartError} one line, if the folder holds no pair that can be served. */
  static async open(options: CertificateDirectoryOptions): Promise<CertificateDirectory> {
    const reader = new PairReader(options);
    const read = await reader.read();
    if (typeof read === "string") throw new StartError(`Cannot use the certificate in --cert-dir: ${read}`);
    return new CertificateDirectory(options, reader, read);
  }

  get served(): ServedCertificate {
    return this.#served;
  }

  async follow(onChange: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void> {
    const { timing, logger, path } = this.#options;
    let complained: string | undefined;
    while (!signal.aborted) {
      const read = await this.#reader.read();
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

/** Reads the pair, and counts that under the names of controller-runtime. */
class PairReader {
  readonly #options: CertificateDirectoryOptions;
  readonly #total: Counter<never>;
  readonly #errors: Counter<never>;

  constructor(options: CertificateDirectoryOptions) {
    const counter = (name: string, help: string) => options.metrics.counter({ name, help, labels: [] });
    this.#options = options;
    this.#total = counter("certwatcher_read_certificate_total", "Total number of certificate reads");
    this.#errors = counter("certwatcher_read_certificate_errors_total", "Total number of certificate read errors");
    for (const each of [this.#total, this.#errors]) each.add({}, 0);
  }

  async read(): Promise<ServedCertificate | string> {
    const read = await readPair(this.#options);
    this.#total.add({});
    if (typeof read === "string") this.#errors.add({});
    return read;
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
