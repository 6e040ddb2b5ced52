import { isKubeError, KubeError } from "../client/client.ts";
import {
  claimedSpec,
  holderOf,
  type LeaseClaim,
  type ObservedLease,
  observeLease,
  releasedSpec,
  takeableInMs,
} from "./lease.ts";
import type { LeaseCall, LeaseStore, StoredLease } from "./lease_store.ts";
import { type Leadership, type Moment, Term } from "./leadership.ts";
import type { Logger } from "../telemetry/logger.ts";
import { pause, type Timing } from "../timing.ts";

export interface LeaderElectionOptions {
  readonly store: Pick<LeaseStore, "read" | "create" | "replace" | "changes">;
  /** Of this process, and no other that ever was. */
  readonly identity: string;
  readonly timing: Timing;
  /** Milliseconds of a clock that never jumps: others' leases and our own end by it. */
  readonly uptime: () => number;
  readonly logger: Logger;
  readonly durations?: ElectionDurations;
}

/** In milliseconds, as client-go's LeaseDuration, RenewDeadline and RetryPeriod. */
export interface ElectionDurations {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseMs: number;
  /** After so long without a renewal we lead no more: what is left of the lease is for stopping. */
  readonly renewMs: number;
  readonly retryMs: number;
}

/** Of client-go, hence of every controller that people run beside this one. */
const DEFAULT_DURATIONS: ElectionDurations = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

/** Does what only one process at a time may do, until its signal is aborted. */
export type Lead = (leadership: Leadership) => Promise<void>;

/** Each wait for another's lease is longer by chance, so that not all ask at once; client-go's factor. */
const JITTER = 1.2;
const RELEASE_TRIES = 3;

/**
 * Lets one process at a time lead, with one Lease that all of them name.
 *
 * - A holder that shows no life for the length of its lease, by our own clock, is replaced; of several that try, the API server
 *   lets one write.
 * - A leader that could not renew for `renewMs` leads no more, at once and whatever the reason, while the others still wait.
 * - Told to stop, a leader renews until its work has ended, and then frees the Lease: the next one, which watches it, leads at once.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #durations: ElectionDurations;
  #observed: ObservedLease | undefined;
  #term: Term | undefined;
  #fault: string | undefined = "the Lease was not read yet";
  #mayWatch = true;
  readonly #decided = Promise.withResolvers<void>();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#durations = options.durations ?? DEFAULT_DURATIONS;
  }

  /** Whether this process leads now. */
  get isLeading(): boolean {
    return this.#term?.isHeld() === true;
  }

  /** Resolves after the first attempt: whether this process leads, stands by, or cannot know. */
  get decided(): Promise<void> {
    return this.#decided.promise;
  }

  /** Why nobody is known to lead; `undefined` if somebody does. */
  get fault(): string | undefined {
    return this.isLeading ? undefined : this.#fault;
  }

  /**
   * Takes part until `signal` is aborted: waits for the Lease, leads, and after a loss waits again.
   *
   * @throws what `lead` throws, after the Lease was freed.
   */
  async run(lead: Lead, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const term = await this.#acquire(signal);
      if (term === undefined) return;
      await this.#lead(term, lead, signal);
    }
  }

  async #acquire(signal: AbortSignal): Promise<Term | undefined> {
    while (!signal.aborted) {
      const term = await this.#try(signal);
      if (term !== undefined) return term;
      this.#decided.resolve();
      await this.#waitForChance(signal);
    }
    return undefined;
  }

  /** One attempt. Never rejects. */
  async #try(signal: AbortSignal): Promise<Term | undefined> {
    const startedAt = this.#now();
    try {
      const before = await this.#options.store.read(this.#call(signal));
      const observed = this.#observe(before);
      if (observed !== undefined && this.#takeableInMs(observed) > 0) return undefined;
      const spec = claimedSpec(before?.spec, this.#claim());
      // Not aborted half-way: a write that arrives after all would hold the Lease for nobody.
      const taken = before === undefined
        ? await this.#options.store.create(spec, this.#call())
        : await this.#options.store.replace(before, spec, this.#call());
      this.#observe(taken);
      return new Term({ startedAt, lengthMs: this.#durations.renewMs, now: () => this.#now() });
    } catch (error) {
      if (!signal.aborted) this.#report("Cannot ask for the Lease", error);
      return undefined;
    }
  }

  /** Until it is time to try again, or the Lease was freed. */
  async #waitForChance(signal: AbortSignal): Promise<void> {
    const { timing } = this.#options;
    const wait = new AbortController();
    const onAbort = () => wait.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const timeout = pause(timing, this.#retryInMs(), wait.signal);
    await Promise.race([timeout, this.#whenFree(wait.signal, timeout)]);
    wait.abort();
    signal.removeEventListener("abort", onAbort);
  }

  /** Later by chance, but not much later than the moment at which the lease of a holder that shows no life is over. */
  #retryInMs(): number {
    const { timing } = this.#options;
    const { retryMs } = this.#durations;
    const retryInMs = retryMs * (1 + JITTER * timing.random());
    const endsInMs = this.#observed === undefined ? 0 : this.#takeableInMs(this.#observed);
    return endsInMs > 0 ? Math.min(retryInMs, endsInMs + retryMs * timing.random() / 10) : retryInMs;
  }

  #takeableInMs(lease: ObservedLease): number {
    return takeableInMs(lease, this.#claim(), this.#options.uptime());
  }

  /** The watch saves time: it tells a release at once, and each renewal when it happens. What counts is the next look. */
  async #whenFree(signal: AbortSignal, otherwise: Promise<void>): Promise<void> {
    const { store, identity } = this.#options;
    if (this.#observed === undefined || !this.#mayWatch) return await otherwise;
    try {
      for await (const lease of store.changes(this.#observed, signal)) {
        if (signal.aborted) return;
        this.#observe(lease);
        const holder = lease === undefined ? undefined : holderOf(lease.spec);
        if (holder === undefined || holder === identity) return;
      }
    } catch (error) {
      if (isKubeError(error, 403)) {
        this.#mayWatch = false;
        this.#report("Cannot watch the Lease, and will see its release later", error);
      }
    }
    await otherwise;
  }

  async #lead(term: Term, lead: Lead, signal: AbortSignal): Promise<void> {
    const { logger, identity } = this.#options;
    logger.info("this process leads", { identity });
    const onAbort = () => term.stop(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const ended = new AbortController();
    // One for the whole term: each call of any() stays with the signals that it joins.
    const renewing = this.#renewUntil(term, AbortSignal.any([ended.signal, term.lost]));
    this.#term = term;
    this.#decided.resolve();
    try {
      await lead(term);
    } finally {
      ended.abort();
      await renewing;
      this.#term = undefined;
      signal.removeEventListener("abort", onAbort);
      await this.#release(term);
    }
  }

  /** Renews while the work goes on, also while it is ending; loses the term when that fails for too long. Never rejects. */
  async #renewUntil(term: Term, over: AbortSignal): Promise<void> {
    const { timing, logger } = this.#options;
    const lose = () => {
      if (over.aborted) return;
      logger.warn("this process leads no more: the Lease could not be renewed in time", { reason: this.#fault });
      term.lose();
    };
    while (!over.aborted) {
      const cancel = timing.setTimer(lose, Math.max(0, term.remainingMs()));
      await pause(timing, this.#durations.retryMs, over);
      if (!over.aborted && term.isHeld()) await this.#renew(term, over);
      cancel();
      if (!term.isHeld()) lose();
    }
  }

  /** One renewal. Never rejects. */
  async #renew(term: Term, over: AbortSignal): Promise<void> {
    const startedAt = this.#now();
    try {
      const observed = this.#observed ?? this.#observe(await this.#options.store.read(this.#call(over)));
      this.#observe(await this.#write(observed, this.#call(over)));
      term.renew(startedAt);
    } catch (error) {
      if (over.aborted) return;
      this.#report("Cannot renew the Lease", error);
      // Somebody else wrote, or a write of ours whose answer was lost: the next attempt must know what is there.
      if (error instanceof KubeError) await this.#lookAgain(term, over);
    }
  }

  async #write(observed: StoredLease | undefined, call: LeaseCall): Promise<StoredLease> {
    const spec = claimedSpec(observed?.spec, this.#claim());
    const { store } = this.#options;
    return observed === undefined ? await store.create(spec, call) : await store.replace(observed, spec, call);
  }

  async #lookAgain(term: Term, over: AbortSignal): Promise<void> {
    const { store, identity, logger } = this.#options;
    try {
      const observed = this.#observe(await store.read(this.#call(over)));
      const holder = observed === undefined ? identity : holderOf(observed.spec);
      if (holder === identity) return;
      logger.warn("this process leads no more: another one has the Lease", { holder });
      term.lose();
    } catch {
      // The renewal that failed was reported, and the deadline goes on.
      this.#observed = undefined;
    }
  }

  /** Frees the Lease, if it is still ours and the work has ended. Never rejects. */
  async #release(term: Term): Promise<void> {
    const { store, identity, timing, logger } = this.#options;
    for (let tries = 0; tries < RELEASE_TRIES && term.isHeld(); tries++) {
      try {
        const observed = await store.read(this.#call());
        if (observed === undefined || observed.spec.holderIdentity !== identity) return;
        this.#observe(await store.replace(observed, releasedSpec(observed.spec, timing.now()), this.#call()));
        logger.info("the Lease is free", { identity });
        return;
      } catch (error) {
        this.#report("Cannot free the Lease", error);
      }
    }
  }

  #observe(read: StoredLease | undefined): ObservedLease | undefined {
    const { uptime, identity } = this.#options;
    this.#observed = read === undefined ? undefined : observeLease(this.#observed, read, uptime());
    const holder = read === undefined ? undefined : holderOf(read.spec);
    this.#fault = holder === undefined || holder === identity ? "nobody holds the Lease" : undefined;
    return this.#observed;
  }

  /** Several attempts fit into the time that a leader has. */
  #call(signal?: AbortSignal): LeaseCall {
    const timeoutMs = this.#durations.renewMs / 3;
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }

  #claim(): LeaseClaim {
    const { identity, timing } = this.#options;
    return { identity, durationMs: this.#durations.leaseMs, now: timing.now() };
  }

  /** Both clocks: one of them stands still while a machine sleeps, the other one may be set back. */
  #now(): Moment {
    return { uptime: this.#options.uptime(), wall: this.#options.timing.now() };
  }

  #report(message: string, error: unknown): void {
    this.#fault = error instanceof Error ? error.message : String(error);
    const { logger } = this.#options;
    if (isKubeError(error, 409)) return logger.debug(message, { reason: this.#fault });
    logger.warn(message, { reason: this.#fault });
  }
}
