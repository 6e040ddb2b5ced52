import { pause, type Timing } from "../../kube/timing.ts";
import type { Database, Transaction, TransactionOptions } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";

/** Who knows whether a server has fallen silent. */
export interface Patience {
  readonly timing: Pick<Timing, "delay">;
  /** Listens on another connection whether anybody is there. Never rejects. */
  isSilent(): Promise<boolean>;
}

/** Whoever waits for longer than this is asked about: few transactions with a healthy server take so long. */
const PATIENCE_MS = 5_000;
const INTERVAL_MS = 2_000;
/** A busy server may be late once. */
const SILENT_ANSWERS = 2;

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
  void lookAfter(silenced, patience, over.signal);
  try {
    return await database.transaction({ ...options, signal: silenced.signal }, work);
  } catch (error) {
    const isSilent = silenced.signal.aborted && !options.signal.aborted;
    if (!isSilent || !(error instanceof PostgresError)) throw error;
    throw new PostgresError(`Cannot use PostgreSQL at ${database.address}: it does not answer`, { kind: error.kind });
  } finally {
    over.abort();
    options.signal.removeEventListener("abort", onAbort);
  }
}

async function lookAfter(silenced: AbortController, { timing, isSilent }: Patience, over: AbortSignal): Promise<void> {
  for (let silent = 0; silent < SILENT_ANSWERS;) {
    await pause(timing, silent === 0 ? PATIENCE_MS : INTERVAL_MS, over);
    if (over.aborted) return;
    silent = await isSilent() ? silent + 1 : 0;
  }
  if (!over.aborted) silenced.abort();
}
