import type { Logger } from "../kube/logger.ts";
import { pause, type Timing } from "../kube/timing.ts";

export interface CertificateWatch {
  readonly expiry: Date;
  readonly timing: Pick<Timing, "now" | "delay">;
  readonly logger: Logger;
}

const DAY_MS = 24 * 60 * 60_000;
const WARNING_MS = 30 * DAY_MS;

/**
 * Warns once a day in the last 30 days of the serving certificate: nothing renews it but a restart, and once it has expired every
 * change of our kinds is refused. Looks daily, since a longer timer would fire at once. Ends with `signal`.
 */
export async function warnOfExpiry({ expiry, timing, logger }: CertificateWatch, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const leftMs = expiry.getTime() - timing.now();
    if (leftMs <= WARNING_MS) {
      const message = leftMs > 0
        ? "the webhook certificate ends soon, and every change will be refused then: restart the operator"
        : "the webhook certificate has ended, and every change is refused: restart the operator";
      logger.warn(message, { expiry: expiry.toISOString(), daysLeft: Math.max(0, Math.floor(leftMs / DAY_MS)) });
    }
    await pause(timing, DAY_MS, signal);
  }
}
