import postgres from "postgres";
import type { Socket } from "node:net";
import { addressOf, type ConnectionTarget } from "./connection_url.ts";
import { connectionError, fromDriverError, lostConnection, PostgresError } from "./errors.ts";
import { parameterText } from "./parameter.ts";
import type { Preparation } from "./preparation.ts";
import { type BackendKey, cancelBackend, openSocket } from "./socket.ts";

/** What a session needs beside its target. */
export interface SessionOptions {
  readonly target: ConnectionTarget;
  readonly applicationName: string;
  readonly certificateAuthority?: string | undefined;
  /** Whether statements may have names; shared by all sessions of a database. */
  readonly preparation: Preparation;
  readonly mayReach?: ((address: string) => boolean) | undefined;
  /** Called with a notice's SQLSTATE only: its text can hold what a user wrote. */
  readonly onNotice?: ((sqlstate: string) => void) | undefined;
}

/** Rows, and the command that the server says it ran. */
export interface Result {
  readonly rows: readonly unknown[];
  readonly command: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CANCEL_TIMEOUT_MS = 2_000;

/** The part of postgres.js that is used; its own types name neither `socket` nor a query's inner fields. */
type Driver = (options: Readonly<Record<string, unknown>>) => Sql;

interface Sql {
  unsafe(text: string, parameters: readonly never[], options: { simple: false; prepare: boolean }): Query;
  end(options: { timeout: number }): Promise<void>;
}

interface Query extends Promise<readonly unknown[] & { readonly command: string }> {
  parameters: (string | null)[];
  readonly state: BackendKey | null;
  /** Set to anything: the query is not sent any more. */
  cancelled: unknown;
  /** Set to the error of a named statement that the driver is about to send once more. */
  retried?: Error;
  reject(error: Error): void;
  describe(): Promise<unknown>;
}

/**
 * Once the server has said what type the parameter of a named statement has, the driver would convert texts by that type; the
 * conversion of these changes them.
 */
const TYPES_SENT_AS_THEY_ARE = {
  boolean: 16,
  bytea: 17,
  json: 114,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  jsonb: 3802,
} as const;

/**
 * One connection, never more: postgres.js would open another one by itself and send what waits there, outside of any
 * transaction. It gets its socket from us, once.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #socket: Socket;
  readonly #sql: Sql;
  readonly #pending = new Set<(error: PostgresError) => void>();
  #key: BackendKey | undefined;
  #lost: PostgresError | undefined;
  #isLoggedIn = false;

  private constructor(options: SessionOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#sql = (postgres as unknown as Driver)(this.#driverOptions());
    // The driver listens only once it connects, and waits for more than the end of what the server sends.
    for (const event of ["end", "close", "error"]) socket.on(event, () => this.#lose(this.#closedError()));
  }

  /** Connects and logs in; throws a {@linkcode PostgresError} that names the address. */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const controller = new AbortController();
    const stop = () => controller.abort(signal.reason);
    const timeout = Object.assign(new Error("timed out"), { code: "CONNECT_TIMEOUT" });
    const timer = setTimeout(() => controller.abort(timeout), CONNECT_TIMEOUT_MS);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { target, certificateAuthority, mayReach } = options;
      const socket = await openSocket(target, { certificateAuthority, mayReach, signal: controller.signal });
      const session = new Session(options, socket);
      await session.#logIn(controller.signal);
      return session;
    } catch (error) {
      throw error instanceof PostgresError ? error : connectionError(addressOf(options.target), error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  get isAlive(): boolean {
    return this.#lost === undefined;
  }

  /** Sends one statement through the extended protocol, behind those sent before; a second one in the text is refused. */
  send(text: string, parameters: readonly unknown[] = []): Promise<Result> {
    return this.#send(text, parameters, false);
  }

  /**
   * The same for a text that is a constant of the program: under a name, if the server takes names, so that it is parsed
   * and planned only once on this connection.
   */
  sendFixed(text: string, parameters: readonly unknown[] = []): Promise<Result> {
    const { preparation } = this.#options;
    if (!preparation.isAccepted) return this.#send(text, parameters, false);
    const sent = this.#send(text, parameters, true);
    // Nothing is between this promise and its reader: the failures of a pipeline are told in the order in which they came.
    sent.catch((error) => preparation.judge(error));
    return sent;
  }

  #send(text: string, parameters: readonly unknown[], prepare: boolean): Promise<Result> {
    return this.#track(() => {
      const query = this.#query(text, prepare);
      if (prepare) forbidRetry(query);
      // Set here, not given to unsafe(): it would ask the server for their types first, which is a round trip.
      query.parameters = parameters.map(parameterText);
      return query.then((rows) => {
        this.#key = query.state ?? this.#key;
        return { rows: [...rows], command: rows.command };
      });
    });
  }

  /** Lets the server check a statement without executing it. */
  async describe(text: string): Promise<void> {
    await this.#track(() => this.#query(text).describe());
  }

  /** Ends the connection now: what runs is canceled, what waits gets the error. */
  destroy(error: PostgresError): void {
    if (this.#lost !== undefined) return;
    const runs = this.#pending.size > 0;
    this.abandon(error);
    if (runs && this.#key !== undefined) this.#cancel(this.#key);
  }

  /** Ends the connection now; what runs goes on in the server. */
  abandon(error: PostgresError): void {
    if (this.#lost !== undefined) return;
    this.#lose(error);
    this.#socket.destroy();
  }

  /** Says goodbye to the server; nothing may be running. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    this.#lost = lostConnection();
    await this.#sql.end({ timeout: CANCEL_TIMEOUT_MS / 1000 }).catch(() => {});
    this.#socket.destroy();
  }

  async #logIn(signal: AbortSignal): Promise<void> {
    const stop = () => this.destroy(connectionError(addressOf(this.#options.target), signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (signal.aborted) stop();
      await this.#track(() => this.#query("SELECT 1"));
      this.#isLoggedIn = true;
    } catch (error) {
      this.destroy(this.#closedError());
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #query(text: string, prepare = false): Query {
    if (text.includes("\0")) throw new RangeError("Cannot send a statement: it must not hold a NUL");
    return this.#sql.unsafe(text, [], { simple: false, prepare });
  }

  /** The driver may forget a query when its connection goes; this promise always settles. */
  #track<T>(start: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#pending.add(reject);
      start().then(resolve, (error) => reject(this.#typed(error))).finally(() => this.#pending.delete(reject));
    });
  }

  #typed(error: unknown): PostgresError {
    if (!this.#isLoggedIn) return this.#lost ?? connectionError(addressOf(this.#options.target), error);
    const typed = fromDriverError(error);
    return typed.kind === "outcomeUnknown" ? this.#lost ?? typed : typed;
  }

  #closedError(): PostgresError {
    const closed = { code: "CONNECTION_CLOSED" };
    return this.#isLoggedIn ? lostConnection() : connectionError(addressOf(this.#options.target), closed);
  }

  #lose(error: PostgresError): void {
    this.#lost ??= error;
    for (const reject of this.#pending) reject(this.#lost);
    this.#pending.clear();
  }

  #cancel(key: BackendKey): void {
    const { target, certificateAuthority, mayReach } = this.#options;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), CANCEL_TIMEOUT_MS);
    // Best effort: without it the server finds out when it next writes to us.
    cancelBackend(target, key, { certificateAuthority, mayReach, signal: controller.signal })
      .catch(() => {})
      .finally(() => clearTimeout(timer));
  }

  /** Everything is said, so that no environment variable and no parameter of a URL decides anything. */
  #driverOptions(): Readonly<Record<string, unknown>> {
    const { target, applicationName, onNotice } = this.#options;
    let isTaken = false;
    return {
      host: target.host,
      port: target.port,
      database: target.database,
      username: target.user,
      password: target.password,
      max: 1,
      ssl: false,
      sslnegotiation: null,
      idle_timeout: null,
      max_lifetime: null,
      connect_timeout: CONNECT_TIMEOUT_MS / 1000,
      max_pipeline: 100,
      backoff: () => 0,
      // The socket has its own.
      keep_alive: null,
      // Whether a statement has a name is said with each of them.
      prepare: true,
      types: Object.fromEntries(
        Object.entries(TYPES_SENT_AS_THEY_ARE).map(([name, to]) => [name, { to, serialize: (text: string) => text }]),
      ),
      debug: false,
      fetch_types: false,
      publications: "alltables",
      target_session_attrs: null,
      no_subscribe: true,
      connection: { application_name: applicationName },
      onnotice: (notice: { readonly code?: string }) => onNotice?.(notice.code ?? "00000"),
      onclose: () => this.#lose(this.#closedError()),
      socket: () => {
        if (isTaken) throw Object.assign(new Error("closed"), { code: "CONNECTION_CLOSED" });
        isTaken = true;
        return this.#socket;
      },
    };
  }
}

/** The driver sends a refused statement a second time, behind all that was sent since: that could be our COMMIT. */
function forbidRetry(query: Query): void {
  Object.defineProperty(query, "retried", {
    set(error: Error) {
      query.cancelled = true;
      query.reject(error);
    },
  });
}
