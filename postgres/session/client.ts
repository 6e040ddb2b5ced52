import { addressOf, type ConnectionTarget, parseConnectionUrl } from "./connection_url.ts";
import { lostConnection, PostgresError } from "./errors.ts";
import { quoteIdentifier, quoteLiteral } from "../text/identifier.ts";
import { Pool } from "./pool.ts";
import { Preparation } from "./preparation.ts";
import { Session } from "./session.ts";

/** How to open a {@linkcode Database}. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`; see `parseConnectionUrl()`. */
  readonly url: string;
  readonly applicationName: string;
  /** More transactions at once wait for their turn. */
  readonly maxConnections: number;
  /** Certificates (PEM) that are trusted instead of the system's. */
  readonly certificateAuthority?: string;
  /** To the same database past a pooler such as PgBouncer, for statements that run outside of any transaction. */
  readonly directUrl?: string;
  /** Whether a server may have that IP address: what its name resolves to is known only once it is connected. */
  readonly mayReach?: (address: string) => boolean;
  /** How long a connection that nobody uses is kept, in milliseconds; default 30,000. */
  readonly idleMs?: number;
  /** Called with the SQLSTATE of each notice. */
  readonly onNotice?: (sqlstate: string) => void;
  /** Called once if the server, or a pooler before it, forgets named statements: they are planned anew from then on. */
  readonly onUnprepared?: () => void;
}

/** A database, reached through a few connections that open when they are needed. */
export interface Database {
  /** `host:port/database`, for messages. */
  readonly address: string;
  /**
   * Runs `work` in one transaction. It commits if `work` returns and none of its statements failed, also none that
   * `work` did not wait for; else it rolls back. Settings that change what SQL means are pinned first.
   *
   * A read-only transaction whose statements are sent together takes one round trip, and one that sends nothing none.
   * Where a pooler forgets named statements, the first transaction that finds out is rolled back and `work` runs again.
   *
   * @throws {PostgresError} on every failure of the database; what `work` throws is passed on.
   */
  transaction<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Runs one statement outside of any transaction, on a connection of its own with the same settings, and without a lock
   * timeout: CONCURRENTLY waits for transactions on other tables too, and a timeout would leave an invalid index.
   *
   * @returns `false`, and nothing ran, if somebody else holds the advisory lock of that name.
   */
  concurrently(options: ConcurrentOptions, text: string): Promise<boolean>;
  /** Waits for transactions that run, then ends all connections. */
  close(): Promise<void>;
}

/** How a statement runs outside of a transaction. */
export interface ConcurrentOptions {
  /** Taken for the session before the statement, never waited for: a waiter and the builder would block each other. */
  readonly lockName: string;
  /** Schemas of extensions that the statement needs beside `pg_catalog`. */
  readonly searchPath?: readonly string[];
  /** Ends the statement, too. */
  readonly signal: AbortSignal;
  /** Ends the wait alone: the statement goes on in the server. */
  readonly abandon?: AbortSignal;
}

export interface TransactionOptions {
  readonly readOnly: boolean;
  /** Longest wait for one lock, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Longest run of one statement, in milliseconds. */
  readonly statementTimeoutMs: number;
  /** Ends everything at once: the wait for a connection, and what the server runs. */
  readonly signal: AbortSignal;
}

/** How a statement is sent. */
export interface QueryOptions {
  /** The text is one of the program's constants: the server may keep it, with its plan, as long as the connection lasts. */
  readonly isFixed?: boolean;
}

/** Of statements that run for every object; their plans must be good for any parameters. */
export const FIXED: QueryOptions = { isFixed: true };

export interface Transaction {
  /**
   * Runs one statement; more than one in the text is refused by the server (42601). Not waiting for the answer before
   * the next call sends both in one go.
   *
   * Parameters are sent as text (`parameterText()`): write their type in the statement. Of the answer, `int8`,
   * `numeric` and arrays stay text, `oid`, `int4` and floats are numbers, `json` is parsed, timestamps are `Date`.
   */
  query<Row>(text: string, parameters?: readonly unknown[], options?: QueryOptions): Promise<readonly Row[]>;
  /** Lets the server parse and type-check one statement (Parse, Describe): nothing is executed. */
  describe(text: string): Promise<void>;
}

const IDLE_MS = 30_000;
const END_TIMEOUT_MS = 5_000;
/** So long a process that was stopped inside a transaction keeps its locks: less than a lease, so that whoever leads next finds none. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Whatever a database or a role has set, SQL means and prints the same in our transactions. */
const PINNED_SETTINGS: Readonly<Record<string, string>> = {
  search_path: searchPathOf([]),
  standard_conforming_strings: "on",
  quote_all_identifiers: "off",
  transform_null_equals: "off",
  array_nulls: "on",
  xmloption: "content",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
  row_security: "off",
  jit: "off",
  // Else a plan of PostgreSQL's own, as of a foreign key's validation, runs functions of other people's checks.
  constraint_exclusion: "off",
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
};

/** $1 lock timeout, $2 statement timeout. */
const BEGIN_SETTINGS = `SELECT ${settingCalls(PINNED_SETTINGS, "transaction").join(", ")},
  pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true)`;

/**
 * Opens nothing yet: the first transaction connects.
 *
 * @throws {PostgresError} one line, without the password, if the URL cannot be used.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const target = targetOf(options.url);
  const direct = options.directUrl === undefined ? target : targetOf(options.directUrl);
  if (direct.database !== target.database) {
    throw new PostgresError("Cannot use the direct database URL: it must name the same database", {
      kind: "condition",
    });
  }
  const preparation = new Preparation(options.onUnprepared);
  const open = (signal: AbortSignal) => Session.open({ ...options, preparation, target }, signal);
  const openDirect = (signal: AbortSignal) => Session.open({ ...options, preparation, target: direct }, signal);
  const pool = new Pool<Session>({
    maximum: options.maxConnections,
    idleMs: options.idleMs ?? IDLE_MS,
    open,
    isAlive: (session) => session.isAlive,
    close: (session) => session.close(),
  });
  return {
    address: `${addressOf(target)}/${target.database}`,
    transaction: (transactionOptions, work) =>
      preparation.attempt(() => runTransaction(pool, transactionOptions, work)),
    concurrently: (concurrentOptions, text) => runConcurrently(openDirect, concurrentOptions, text),
    close: () => pool.close(),
  };
}

function targetOf(url: string): ConnectionTarget {
  const target = parseConnectionUrl(url);
  if (!target.ok) throw new PostgresError(target.fault, { kind: "condition" });
  return target.value;
}

async function runTransaction<T>(
  pool: Pool<Session>,
  options: TransactionOptions,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const timeouts = [milliseconds(options.lockTimeoutMs), milliseconds(options.statementTimeoutMs)];
  const session = await acquire(pool, options.signal);
  const run = new Run(session, options, timeouts);
  try {
    const value = await run.untilStopped(work);
    if (!options.readOnly) await run.commit();
    return value;
  } finally {
    // Nobody waits for the end of a transaction that changed nothing.
    run.end().finally(() => pool.release(session));
  }
}

async function runConcurrently(
  open: (signal: AbortSignal) => Promise<Session>,
  { lockName, signal, abandon, searchPath = [] }: ConcurrentOptions,
  text: string,
): Promise<boolean> {
  const session = await open(signal);
  const stop = () => session.destroy(stoppedError());
  const leave = () => session.abandon(lostConnection());
  signal.addEventListener("abort", stop, { once: true });
  abandon?.addEventListener("abort", leave, { once: true });
  try {
    if (signal.aborted) stop();
    if (abandon?.aborted === true) leave();
    const settings = {
      ...PINNED_SETTINGS,
      search_path: searchPathOf(searchPath),
      lock_timeout: "0",
      statement_timeout: "0",
    };
    await session.send(`SELECT ${settingCalls(settings, "session").join(", ")}`);
    const lock = "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked";
    const [row] = (await session.send(lock, [lockName])).rows as readonly { readonly locked: boolean }[];
    if (row?.locked !== true) return false;
    await session.send(text);
    return true;
  } finally {
    signal.removeEventListener("abort", stop);
    abandon?.removeEventListener("abort", leave);
    // The connection ends, and with it the lock and the settings.
    await session.close();
  }
}

async function acquire(pool: Pool<Session>, signal: AbortSignal): Promise<Session> {
  try {
    return await pool.acquire(signal);
  } catch (error) {
    throw error instanceof PostgresError ? error : new PostgresError(
      "Cannot get a connection to PostgreSQL: the wait was stopped",
      { kind: "retry" },
    );
  }
}

/** One transaction on one session. */
class Run implements Transaction {
  readonly #session: Session;
  readonly #options: TransactionOptions;
  readonly #timeouts: readonly string[];
  #begun: Promise<unknown> | undefined;
  readonly #stopped = Promise.withResolvers<never>();
  readonly #onAbort = () => this.#stop();
  #failure: PostgresError | undefined;
  #phase: "working" | "committing" | "committed" | "ended" = "working";

  constructor(session: Session, options: TransactionOptions, timeouts: readonly string[]) {
    this.#session = session;
    this.#options = options;
    this.#timeouts = timeouts;
    this.#stopped.promise.catch(() => {});
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal.aborted) this.#stop();
  }

  async untilStopped<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    // Sent behind a BEGIN that failed, a write would be its own transaction: only reads go out at once.
    if (!this.#options.readOnly) await this.#begin().catch(() => this.#throwFailure());
    const value = await Promise.race([
      work(this).catch((error) => this.#fail(error)),
      this.#stopped.promise,
    ]);
    await this.#begun?.catch(() => {});
    this.#throwFailure();
    return value;
  }

  async query<Row>(
    text: string,
    parameters?: readonly unknown[],
    { isFixed = false }: QueryOptions = {},
  ): Promise<readonly Row[]> {
    this.#assertWorking();
    this.#begin();
    const sent = isFixed ? this.#session.sendFixed(text, parameters) : this.#session.send(text, parameters);
    return (await this.#watch(sent)).rows as readonly Row[];
  }

  async describe(text: string): Promise<void> {
    this.#assertWorking();
    this.#begin();
    await this.#watch(this.#session.describe(text));
  }

  async commit(): Promise<void> {
    this.#phase = "committing";
    const { command } = await this.#watch(this.#session.send("COMMIT")).catch((error) => this.#fail(error));
    this.#phase = "committed";
    // PostgreSQL answers a COMMIT of a failed transaction with ROLLBACK, not with an error.
    if (command !== "COMMIT") {
      this.#throwFailure();
      throw new PostgresError("PostgreSQL rolled the transaction back", { kind: "retry" });
    }
  }

  /** Leaves the session clean, or dead. */
  async end(): Promise<void> {
    const open = this.#phase !== "committed";
    this.#phase = "ended";
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    if (!open || this.#begun === undefined || !this.#session.isAlive) return;
    const timer = setTimeout(() => this.#session.destroy(stoppedError()), END_TIMEOUT_MS);
    await this.#session.send("ROLLBACK").catch(() => this.#session.destroy(stoppedError()));
    clearTimeout(timer);
  }

  /** Sends the first statements, once; their failures are the transaction's. */
  #begin(): Promise<unknown> {
    if (this.#begun !== undefined) return this.#begun;
    const text = `BEGIN ISOLATION LEVEL READ COMMITTED${this.#options.readOnly ? " READ ONLY" : ""}`;
    const begin = this.#watch(this.#session.send(text));
    this.#begun = Promise.all([begin, this.#watch(this.#session.sendFixed(BEGIN_SETTINGS, this.#timeouts))]);
    this.#begun.catch(() => {});
    return this.#begun;
  }

  #assertWorking(): void {
    if (this.#phase !== "working") throw new Error("Cannot run a statement: the transaction has ended");
  }

  /** Keeps the first failure: the errors that follow it only say that the transaction has failed. */
  #watch<T>(sent: Promise<T>): Promise<T> {
    sent.catch((error) => this.#failure ??= this.#refine(error));
    return sent;
  }

  /** While nothing was committed, a lost connection is no riddle. */
  #refine(error: unknown): PostgresError {
    if (!(error instanceof PostgresError)) {
      return new PostgresError(error instanceof Error ? error.message : "Cannot run a statement", { kind: "bug" });
    }
    return error.kind === "outcomeUnknown" && this.#phase === "working"
      ? new PostgresError("The connection to PostgreSQL was lost; the transaction changed nothing", { kind: "retry" })
      : error;
  }

  #fail(error: unknown): never {
    this.#throwFailure();
    throw error;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #stop(): void {
    const error = this.#phase === "committing"
      ? new PostgresError("The transaction was stopped while it committed; what it did is not known", {
        kind: "outcomeUnknown",
      })
      : stoppedError();
    this.#failure ??= error;
    this.#session.destroy(error);
    this.#stopped.reject(error);
  }
}

function stoppedError(): PostgresError {
  return new PostgresError("The transaction was stopped before it could commit; it changed nothing", { kind: "retry" });
}

/** The search path with some schemas in it; temporary objects come last and shadow nothing. */
export function searchPathOf(schemas: readonly string[]): string {
  return ["pg_catalog", ...schemas.map(quoteIdentifier), "pg_temp"].join(", ");
}

function settingCalls(settings: Readonly<Record<string, string>>, scope: "transaction" | "session"): readonly string[] {
  return Object.entries(settings)
    .map(([name, value]) => `pg_catalog.set_config('${name}', ${quoteLiteral(value)}, ${scope === "transaction"})`);
}

function milliseconds(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot set a timeout: it must be a whole number of milliseconds: current value is ${value}`);
  }
  return String(value);
}
