import { pause, type Timing } from "../../kube/timing.ts";
import type { ConcurrentOptions, Database, Transaction, TransactionOptions } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";

/** Who knows whether a server has fallen silent. */
export interface Patience {
  readonly timing: Pick<Timing, "delay">;
  /** Listens on another connection whether anybody is there. Never rejects. */
  isSilent(): Promise<boolean>;
}

/** When to ask. */
interface Pace {
  /** Whoever waits for longer than this is asked about. */
  readonly patienceMs: number;
  /** Between silent answers. */
  readonly intervalMs: number;
  /** One behind the other; then the server has fallen silent. */
  readonly silentAnswers: number;
}

/** An abort without a reason makes an error with a stack: 1 % of the processor time of a bulk. */
const OVER = "the work has ended";
/** Few transactions with a healthy server take so long; a busy one may be late once. */
const OF_TRANSACTIONS: Pace = { patienceMs: 5_000, intervalMs: 2_000, silentAnswers: 2 };
/** Builds take hours, and a new wait for one finds it still running: a network may be away for a minute. */
const OF_BUILDS: Pace = { patienceMs: 60_000, intervalMs: 10_000, silentAnswers: 6 };

/**
 * Runs a transaction, and ends it when the server has fallen silent: a connection that was cut without a word never fails, and would
 * keep its worker until the reconcile is over.
 *
 * @throws {PostgresError} that says so; or whatever the transaction throws.
 */
export async function endIfSilent<T>(
  { database, ...patience }: Patience & { readonly database: Database },
  options: TransactionOptions,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const silenced = new AbortController();
  const onAbort = () => silenced.abort(options.signal.reason);
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  const over = new AbortController();
  void lookAfter(silenced, { ...patience, ...OF_TRANSACTIONS }, over.signal);
  try {
    return await database.transaction({ ...options, signal: silenced.signal }, work);
  } catch (error) {
    throw silenced.signal.aborted && !options.signal.aborted ? silentError(database, error) : error;
  } finally {
    over.abort(OVER);
    options.signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Runs a statement outside of any transaction, and ends the wait for it when the server has been silent for over a minute. The statement
 * goes on if the server lives: what it built is found later.
 *
 * @throws {PostgresError} that says so; or whatever the statement throws.
 */
export async function leaveIfSilent(
  { database, ...patience }: Patience & { readonly database: Database },
  options: ConcurrentOptions,
  text: string,
): Promise<boolean> {
  const silenced = new AbortController();
  const over = new AbortController();
  void lookAfter(silenced, { ...patience, ...OF_BUILDS }, over.signal);
  try {
    return await database.concurrently({ ...options, abandon: silenced.signal }, text);
  } catch (error) {
    throw silenced.signal.aborted && !options.signal.aborted ? silentError(database, error) : error;
  } finally {
    over.abort(OVER);
  }
}

function silentError({ address }: Database, error: unknown): unknown {
  if (!(error instanceof PostgresError)) return error;
  return new PostgresError(`Cannot use PostgreSQL at ${address}: it does not answer`, { kind: error.kind });
}

async function lookAfter(silenced: AbortController, options: Patience & Pace, over: AbortSignal): Promise<void> {
  const { timing, isSilent, patienceMs, intervalMs, silentAnswers } = options;
  for (let silent = 0; silent < silentAnswers;) {
    await pause(timing, silent === 0 ? patienceMs : intervalMs, over);
    if (over.aborted) return;
    silent = await isSilent() ? silent + 1 : 0;
  }
  if (!over.aborted) silenced.abort();
}
