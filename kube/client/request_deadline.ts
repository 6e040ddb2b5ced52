/** What may end a request before its answer does. */
export interface DeadlineOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/**
 * The caller's signal and a timeout in one. `AbortSignal.any()` is not used: its children stay with a signal that lives as long
 * as the process, one for each request.
 */
export class RequestDeadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort(this.#parent?.reason);
  readonly #timer: ReturnType<typeof setTimeout>;
  timedOut = false;

  constructor({ signal, timeoutMs }: DeadlineOptions) {
    this.#parent = signal;
    this.#timer = setTimeout(() => {
      this.timedOut = true;
      this.#controller.abort();
    }, timeoutMs);
    if (this.#parent?.aborted) this.#onAbort();
    else this.#parent?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stopTimer(): void {
    clearTimeout(this.#timer);
  }

  dispose(): void {
    this.stopTimer();
    this.#parent?.removeEventListener("abort", this.#onAbort);
  }

  end(): void {
    this.dispose();
    this.#controller.abort();
  }
}
