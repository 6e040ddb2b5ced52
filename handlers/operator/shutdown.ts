import { pause, type Timing } from "../../kube/timing.ts";
import type { ReviewListener } from "../admission/review_listener.ts";

/** Until kube-proxies and API servers have heard that we are no endpoint any more. */
const ENDPOINTS_GONE_MS = 5_000;

export interface ShutdownOptions {
  /** Whether clients find us through a Service. */
  readonly inPod: boolean;
  readonly timing: Pick<Timing, "delay">;
}

/** Whether the process is on its way out: not ready, and each answer sends its client away, while everything else goes on. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  #stopping = false;

  constructor(options: ShutdownOptions) {
    this.#options = options;
  }

  /** For `/readyz`. */
  get fault(): string | undefined {
    return this.#stopping ? "the operator is stopping" : undefined;
  }

  /** Returns when nobody sends reviews here any more: in a Pod after a while, elsewhere at once. */
  async leave(listener: Pick<ReviewListener, "closeConnections">): Promise<void> {
    this.#stopping = true;
    listener.closeConnections();
    if (this.#options.inPod) await pause(this.#options.timing, ENDPOINTS_GONE_MS, new AbortController().signal);
  }
}
