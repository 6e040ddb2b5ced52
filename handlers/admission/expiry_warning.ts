import { certificateValidity } from "../../kube/webhook/certificate_fault.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { ServingCertificates } from "../../kube/webhook/serving_certificates.ts";
import { pause, type Timing } from "../../kube/timing.ts";

export interface ExpiryWarningOptions {
  readonly certificates: Pick<ServingCertificates, "served">;
  readonly timing: Pick<Timing, "now" | "delay">;
  readonly logger: Logger;
}

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Warns once a day when less than a quarter of the serving certificate's life is left: it should have been renewed after two thirds,
 * and once it has ended every change of our kinds is refused. Ends with `signal`.
 */
export async function warnOfExpiry(options: ExpiryWarningOptions, signal: AbortSignal): Promise<void> {
  const { certificates, timing, logger } = options;
  let warnedAt = -Infinity;
  while (!signal.aborted) {
    const { notBefore, notAfter } = certificateValidity(certificates.served.pair.certificate);
    const leftMs = notAfter.getTime() - timing.now();
    const isOverdue = leftMs < (notAfter.getTime() - notBefore.getTime()) / 4;
    if (isOverdue && timing.now() - warnedAt >= DAY_MS) {
      const message = leftMs > 0
        ? "the webhook certificate was not renewed, and every change will be refused when it ends"
        : "the webhook certificate has ended, and every change is refused";
      logger.warn(message, { expiry: notAfter.toISOString(), hoursLeft: Math.max(0, Math.floor(leftMs / HOUR_MS)) });
      warnedAt = timing.now();
    }
    await pause(timing, HOUR_MS, signal);
  }
}
