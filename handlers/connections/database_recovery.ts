import { withoutLogContext } from "../../kube/telemetry/log_context.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Timing } from "../../kube/timing.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import type { Greet } from "../../postgres/session/greeting.ts";
import { NO_CONNECTIONS, NO_ROOM, NO_WRITES, Refusals } from "./refusals.ts";
import { Greeter } from "./greeter.ts";
import { endIfSilent, leaveIfSilent } from "./silent_server.ts";

export interface RecoveryOptions {
  /** To ask whether the server answers, on a connection of its own. */
  readonly database: Database;
  /** To hear whether anybody is there at all, where transactions go. */
  readonly greet: Greet;
  /** The same where statements go that run outside of any transaction: past a pooler. */
  readonly greetDirectly: Greet;
  readonly timing: Pick<Timing, "random" | "setTimer" | "delay">;
  readonly logger: Logger;
}

const PROBE_INTERVAL_MS = 2_000;
const PROBE_TIMEOUT_MS = 3_000;
/** When what failed tries by itself, although nobody said that the database is back. */
const SELF_RETRY_MS = 5 * 60_000;

/** An object must wait until the database is back; it is told then. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  readonly retryAfterMs: number;

  constructor(cause: Error, retryAfterMs: number) {
    super(cause.message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Knows whether one database can be reached, so that an outage costs one question every 2 s, however many objects and reviews need
 * it, and ends for all of them within that time.
 *
 * - A failure that looks like an outage is confirmed by a probe first; a statement that only ever kills its own connection is then
 *   retried like any other failure.
 * - A connection that was cut without a word never fails. So a transaction that takes long is a reason to ask, too, and ends when nobody
 *   is there. A statement that waits for its turn in a pooler is no reason to end those that have theirs.
 */
export class DatabaseRecovery implements Disposable {
  readonly #options: RecoveryOptions;
  /** What failed because of an outage. */
  readonly #outages = new WeakSet<Error>();
  readonly #waiting = new Map<string, () => void>();
  #outage: PostgresError | undefined;
  #asking: Promise<void> | undefined;
  #question: Promise<Answer> | undefined;
  #probe: AbortController | undefined;
  #cancelProbe = () => {};
  readonly #onBack = new Set<() => void>();
  #isDisposed = false;
  readonly #greeter: Greeter;
  readonly #directGreeter: Greeter;
  readonly #refusals: readonly Refusals[];

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#refusals = [NO_WRITES, NO_CONNECTIONS, NO_ROOM].map((refusal) => new Refusals(refusal, options));
    this.#greeter = new Greeter(options.greet, options.timing);
    this.#directGreeter = new Greeter(options.greetDirectly, options.timing);
  }

  /** Why the database cannot be reached; `undefined` if nothing is known against it. */
  get fault(): string | undefined {
    return this.#outage?.message;
  }

  /** Asks a database that nobody has used yet: one that does not answer is known for that before anybody waits for it. Never rejects. */
  async meet(): Promise<void> {
    if (this.#outage !== undefined) return;
    const { address } = this.#options.database;
    await this.#suspect(new PostgresError(`Cannot connect to PostgreSQL at ${address}: no answer`, { kind: "retry" }));
  }

  /** Tells the end of every outage until `signal` is aborted: the server may have come back as it was before, or as another one. */
  onBack(listener: () => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#onBack.add(listener);
    signal.addEventListener("abort", () => this.#onBack.delete(listener), { once: true });
  }

  /** The same database; while it is known to be down its transactions fail at once, and never connect. */
  guard(database: Database): Database {
    const { timing } = this.#options;
    const transactions = { database, timing, isSilent: () => this.#greeter.isSilent() };
    const builds = { database, timing, isSilent: () => this.#directGreeter.isSilent() };
    return {
      address: database.address,
      close: () => database.close(),
      transaction: (options, work) => this.#watch(options.signal, () => endIfSilent(transactions, options, work)),
      concurrently: (options, text) => this.#watch(options.signal, () => leaveIfSilent(builds, options, text)),
    };
  }

  async #watch<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#pass(signal);
    try {
      return await work();
    } catch (error) {
      throw await this.#judge(error, signal);
    }
  }

  /**
   * What a reconcile that threw `error` should throw instead: after an outage it comes back when `retry` is called.
   *
   * @param key Names the object among all kinds.
   */
  defer(error: unknown, { key, retry }: { readonly key: string; readonly retry: () => void }): unknown {
    if (!(error instanceof Error) || !this.#keep(error, { key, retry })) return error;
    // Not all of them at the same moment.
    return new DatabaseUnavailable(error, SELF_RETRY_MS * (1 + this.#options.timing.random() / 5));
  }

  /** Asks no more; what waits for this database must find out which one takes its place, and nobody else would tell it. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const each of this.#refusals) each[Symbol.dispose]();
    this.#cancelProbe();
    this.#probe?.abort();
    this.#greeter[Symbol.dispose]();
    this.#directGreeter[Symbol.dispose]();
    this.#bringBack();
  }

  /** Waits while a first suspicion is looked into: everybody else would only find the same. */
  async #pass(signal: AbortSignal): Promise<void> {
    if (this.#outage === undefined && this.#asking !== undefined) await settledOrAborted(this.#asking, signal);
    if (this.#outage !== undefined) throw this.#outage;
  }

  #keep(error: Error, work: { readonly key: string; readonly retry: () => void }): boolean {
    if (this.#outage === undefined || !this.#outages.has(error)) {
      return this.#refusals.some((each) => each.keep(error, work));
    }
    this.#waiting.set(work.key, work.retry);
    return true;
  }

  async #judge(error: unknown, signal: AbortSignal): Promise<unknown> {
    for (const each of this.#refusals) each.note(error);
    // What was stopped from outside says nothing of the server.
    if (!looksUnreachable(error) || signal.aborted) return error;
    if (this.#outage === undefined) await settledOrAborted(this.#suspect(error), signal);
    if (this.#outage !== undefined) this.#outages.add(error);
    return error;
  }

  #suspect(error: PostgresError): Promise<void> {
    return this.#asking ??= withoutLogContext(() => this.#ask()).then((fault) => {
      if (fault !== undefined) withoutLogContext(() => this.#fall(fault === "silent" ? error : fault));
    }).finally(() => this.#asking = undefined);
  }

  #fall(error: PostgresError): void {
    this.#outage = error;
    this.#outages.add(error);
    this.#options.logger.warn("the database cannot be reached; everything that needs it waits", {
      reason: error.message,
    });
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#isDisposed) return;
    this.#cancelProbe();
    this.#cancelProbe = this.#options.timing.setTimer(async () => {
      if (await this.#ask() === undefined) this.#rise();
      else this.#probeLater();
    }, PROBE_INTERVAL_MS);
  }

  #rise(): void {
    this.#outage = undefined;
    this.#options.logger.info("the database is back", { waiting: this.#waiting.size });
    this.#bringBack();
    for (const listener of this.#onBack) listener();
  }

  #bringBack(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  /** Asks the server once, whoever wants to know. Never rejects. */
  #ask(): Promise<Answer> {
    return this.#question ??= this.#askOnce().finally(() => this.#question = undefined);
  }

  async #askOnce(): Promise<Answer> {
    const probe = this.#probe = new AbortController();
    const { signal } = probe;
    const cancel = this.#options.timing.setTimer(() => probe.abort(), PROBE_TIMEOUT_MS);
    const limits = { readOnly: true, lockTimeoutMs: PROBE_TIMEOUT_MS, statementTimeoutMs: PROBE_TIMEOUT_MS, signal };
    try {
      await this.#options.database.transaction(limits, (transaction) => transaction.query("SELECT 1"));
      return undefined;
    } catch (error) {
      if (signal.aborted) return "silent";
      return looksUnreachable(error) ? error : undefined;
    } finally {
      cancel();
    }
  }
}

/** Why a server cannot be reached; `undefined` if it answers, whatever it says. */
type Answer = PostgresError | "silent" | undefined;

/**
 * Whether the server could not be reached, as far as one failure can tell. Too many connections (53300) is none: those that are
 * open go on working.
 */
function looksUnreachable(error: unknown): error is PostgresError {
  if (!(error instanceof PostgresError) || (error.kind !== "retry" && error.kind !== "outcomeUnknown")) return false;
  return error.sqlstate === undefined || /^(08|28P01|57P0[123])/.test(error.sqlstate);
}

async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", onAbort);
}
