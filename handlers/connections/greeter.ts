import { withoutLogContext } from "../../kube/telemetry/log_context.ts";
import type { Timing } from "../../kube/timing.ts";
import type { Greet } from "../../postgres/session/greeting.ts";

const TIMEOUT_MS = 3_000;

/**
 * Knows whether somebody answers on a new connection; whoever asks meanwhile shares the answer. Nothing is asked of the database itself:
 * while all connections of a pooler are lent, every statement waits for its turn, and that is no reason to end the work that has them.
 */
export class Greeter implements Disposable {
  readonly #greet: Greet;
  readonly #timing: Pick<Timing, "setTimer">;
  readonly #disposed = new AbortController();
  #asking: Promise<boolean> | undefined;

  constructor(greet: Greet, timing: Pick<Timing, "setTimer">) {
    this.#greet = greet;
    this.#timing = timing;
  }

  /** Whether nobody says anything within 3 s. Who refuses is not silent. Never rejects. */
  isSilent(): Promise<boolean> {
    return this.#asking ??= withoutLogContext(() => this.#ask()).finally(() => this.#asking = undefined);
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#disposed.abort();
  }

  async #ask(): Promise<boolean> {
    const late = new AbortController();
    const cancel = this.#timing.setTimer(() => late.abort(), TIMEOUT_MS);
    try {
      await this.#greet(AbortSignal.any([late.signal, this.#disposed.signal]));
      return false;
    } catch {
      return late.signal.aborted;
    } finally {
      cancel();
    }
  }
}
