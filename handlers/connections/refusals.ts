import { withoutLogContext } from "../../kube/telemetry/log_context.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { Timing } from "../../kube/timing.ts";
import type { Database } from "../../postgres/session/client.ts";
import { PostgresError } from "../../postgres/session/errors.ts";

/** Something that a server which answers refuses to everybody for a while. */
export interface Refusal {
  readonly sqlstate: string;
  /** `takes no writes`. */
  readonly inWords: string;
  /** Whether it is over, for a session that could be opened. @param isReadOnly Whether it takes no writes. */
  isOver(isReadOnly: boolean): boolean;
}

/** A standby in a failover, or the will of an administrator. */
export const NO_WRITES: Refusal = {
  sqlstate: "25006",
  inWords: "takes no writes",
  isOver: (isReadOnly) => !isReadOnly,
};

/** Connections that are open go on working. */
export const NO_CONNECTIONS: Refusal = { sqlstate: "53300", inWords: "takes no more connections", isOver: () => true };

/**
 * A full disk. Whether there is room again is known only to whoever needs some, and each try takes what is left of it for the log, whose
 * end is that of the server: all together they try as often as one.
 */
export const NO_ROOM: Refusal = { sqlstate: "53100", inWords: "has no room on its disk", isOver: () => true };

export interface RefusalsOptions {
  /** To ask whether it is over, on a connection that is opened for it. */
  readonly database: Database;
  readonly timing: Pick<Timing, "setTimer">;
  readonly logger: Logger;
}

const INTERVAL_MS = 2_000;
const MAX_INTERVAL_MS = 60_000;
const TIMEOUT_MS = 3_000;
/** What was not refused for so long after it was told to be over was over. */
const QUIET_MS = 60_000;

const QUESTION = "SELECT pg_catalog.current_setting('transaction_read_only') AS setting";

/**
 * Brings back what a server refused, as soon as it refuses it no more; everything else goes on meanwhile.
 *
 * One question every 2 s. One more connection, or a session that writes, may still be refused to others: each time that the answer proves
 * wrong the next question comes later.
 */
export class Refusals implements Disposable {
  readonly #refusal: Refusal;
  readonly #options: RefusalsOptions;
  readonly #refused = new WeakSet<Error>();
  readonly #waiting = new Map<string, () => void>();
  #isLooking = false;
  #isDisposed = false;
  #falseHopes = 0;
  #cancelTimer = () => {};

  constructor(refusal: Refusal, options: RefusalsOptions) {
    this.#refusal = refusal;
    this.#options = options;
  }

  /** Looks at what a transaction threw. */
  note(error: unknown): void {
    if (!(error instanceof PostgresError) || error.sqlstate !== this.#refusal.sqlstate) return;
    this.#refused.add(error);
    if (this.#isLooking || this.#isDisposed) return;
    this.#isLooking = true;
    withoutLogContext(() => {
      this.#options.logger.warn(`the database ${this.#refusal.inWords}; what needs that waits`);
      this.#lookLater();
    });
  }

  /**
   * Remembers what was refused until it is refused no more.
   *
   * @returns whether it was: then `retry` is called.
   */
  keep(error: Error, { key, retry }: { readonly key: string; readonly retry: () => void }): boolean {
    if (!this.#isLooking || !this.#refused.has(error)) return false;
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
      const isOver = await this.#isOver();
      if (this.#isDisposed) return;
      if (isOver) this.#rise();
      else this.#lookLater();
    }, delayMs);
  }

  #rise(): void {
    const { timing, logger } = this.#options;
    this.#isLooking = false;
    this.#falseHopes++;
    this.#cancelTimer = timing.setTimer(() => void (this.#falseHopes = 0), QUIET_MS);
    logger.info(`it is over that the database ${this.#refusal.inWords}`, { waiting: this.#waiting.size });
    this.#bringBack();
  }

  #bringBack(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  /** Never rejects. */
  async #isOver(): Promise<boolean> {
    const { database, timing } = this.#options;
    const late = new AbortController();
    const cancel = timing.setTimer(() => late.abort(), TIMEOUT_MS);
    const limits = { readOnly: false, lockTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS, signal: late.signal };
    try {
      const [row] = await database.transaction(
        limits,
        (transaction) => transaction.query<{ readonly setting: string }>(QUESTION),
      );
      return this.#refusal.isOver(row?.setting !== "off");
    } catch (error) {
      // An outage, which ends by itself; or something that only whoever waits can find out.
      return error instanceof PostgresError && error.kind === "condition";
    } finally {
      cancel();
    }
  }
}
