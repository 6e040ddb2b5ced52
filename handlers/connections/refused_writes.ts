import { withoutLogContext } from "../../kube/telemetry/log_context.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Timing } from "../../kube/timing.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";

export interface RefusedWritesOptions {
  /** To ask whether it takes writes, on a connection of its own. */
  readonly database: Database;
  readonly timing: Pick<Timing, "setTimer">;
  readonly logger: Logger;
}

const INTERVAL_MS = 2_000;
const MAX_INTERVAL_MS = 60_000;
const TIMEOUT_MS = 3_000;
/** Who was not refused for so long after it was told that writes are taken was told the truth. */
const QUIET_MS = 60_000;

const QUESTION = "SELECT pg_catalog.current_setting('transaction_read_only') AS setting";

/**
 * Brings back what a server refused that answers but takes no writes (SQLSTATE 25006): a standby in a failover, or the will of an
 * administrator. Reading goes on meanwhile, so verdicts do.
 *
 * One question every 2 s. Sessions may differ in what they are told, so each time that the answer proves wrong the next one comes later.
 */
export class RefusedWrites implements Disposable {
  readonly #options: RefusedWritesOptions;
  readonly #refusals = new WeakSet<Error>();
  readonly #waiting = new Map<string, () => void>();
  #isLooking = false;
  #isDisposed = false;
  #falseHopes = 0;
  #cancelTimer = () => {};

  constructor(options: RefusedWritesOptions) {
    this.#options = options;
  }

  /** Looks at what a transaction threw. */
  note(error: unknown): void {
    if (!(error instanceof PostgresError) || error.sqlstate !== "25006") return;
    this.#refusals.add(error);
    if (this.#isLooking || this.#isDisposed) return;
    this.#isLooking = true;
    withoutLogContext(() => {
      this.#options.logger.warn("the database takes no writes; everything that needs them waits");
      this.#lookLater();
    });
  }

  /**
   * Remembers what was refused until the server takes writes.
   *
   * @returns whether it did: then `retry` is called.
   */
  keep(error: Error, { key, retry }: { readonly key: string; readonly retry: () => void }): boolean {
    if (!this.#isLooking || !this.#refusals.has(error)) return false;
    this.#waiting.set(key, retry);
    return true;
  }

  /** Asks no more; what waits for this database must find out which one takes its place. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#cancelTimer();
    this.#bringBack();
  }

  #lookLater(): void {
    const { timing } = this.#options;
    this.#cancelTimer();
    const delayMs = Math.min(MAX_INTERVAL_MS, INTERVAL_MS * 2 ** this.#falseHopes);
    this.#cancelTimer = timing.setTimer(async () => {
      const takesWrites = await this.#takesWrites();
      if (this.#isDisposed) return;
      if (takesWrites) this.#rise();
      else this.#lookLater();
    }, delayMs);
  }

  #rise(): void {
    const { timing, logger } = this.#options;
    this.#isLooking = false;
    this.#falseHopes++;
    this.#cancelTimer = timing.setTimer(() => void (this.#falseHopes = 0), QUIET_MS);
    logger.info("the database takes writes again", { waiting: this.#waiting.size });
    this.#bringBack();
  }

  #bringBack(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  /** Never rejects. */
  async #takesWrites(): Promise<boolean> {
    const { database, timing } = this.#options;
    const late = new AbortController();
    const cancel = timing.setTimer(() => late.abort(), TIMEOUT_MS);
    const limits = { readOnly: false, lockTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS, signal: late.signal };
    try {
      const [row] = await database.transaction(
        limits,
        (transaction) => transaction.query<{ readonly setting: string }>(QUESTION),
      );
      return row?.setting === "off";
    } catch (error) {
      // An outage, which ends by itself; or something that only whoever waits can find out.
      return error instanceof PostgresError && error.kind === "condition";
    } finally {
      cancel();
    }
  }
}
