/** The process that believes to lead does not lead any more: what it is doing must change nothing. */
export class LeadershipLost extends Error {
  override readonly name = "LeadershipLost";

  constructor() {
    super("This process leads no more");
  }
}

/** What the work of a leader may know of its term. */
export interface Leadership {
  /** Aborted when the work is to end: on request, or since the term is lost. */
  readonly signal: AbortSignal;
  /** Aborted when the term is lost: then what runs must not even end well. */
  readonly lost: AbortSignal;
  /** Asks the clock, not an event: also right in a process that was stopped and goes on, before any of its timers ran. */
  isHeld(): boolean;
}

/** A moment by two clocks, in milliseconds each. */
export interface Moment {
  /** Never jumps, and may stand still while the machine sleeps. */
  readonly uptime: number;
  /** Goes on while the machine sleeps, and may jump. */
  readonly wall: number;
}

export interface TermOptions {
  /** Before the request that took the lease was sent. */
  readonly startedAt: Moment;
  /** How long one renewal is good for. */
  readonly lengthMs: number;
  readonly now: () => Moment;
}

/** The time during which one process leads; it is over by the clock, whether or not anybody noticed. */
export class Term implements Leadership {
  readonly #options: TermOptions;
  readonly #stop = new AbortController();
  readonly #lost = new AbortController();
  #renewedAt: Moment;

  constructor(options: TermOptions) {
    this.#options = options;
    this.#renewedAt = options.startedAt;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  isHeld(): boolean {
    return !this.#lost.signal.aborted && this.remainingMs() > 0;
  }

  /** By the clock that says less. */
  remainingMs(): number {
    const { lengthMs, now } = this.#options;
    const { uptime, wall } = now();
    return lengthMs - Math.max(uptime - this.#renewedAt.uptime, wall - this.#renewedAt.wall);
  }

  /** @param at Before the request was sent that renewed the lease. */
  renew(at: Moment): void {
    this.#renewedAt = at;
  }

  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  lose(): void {
    const reason = new LeadershipLost();
    this.#lost.abort(reason);
    this.#stop.abort(reason);
  }
}

/** Leads for ever: where nobody else can. */
export function soleLeadership(signal: AbortSignal): Leadership {
  return { signal, lost: new AbortController().signal, isHeld: () => true };
}
