import type { Database, Transaction, TransactionOptions } from "../session/client.ts";
import { readDatabaseId } from "./epoch.ts";
import { ensureRegistry, registryFaults } from "./registry_bootstrap.ts";

/** Somebody else made or changed the registry: what it says may be a trap, so nothing is altered or dropped. */
export class RegistryUntrusted extends Error {
  override readonly name = "RegistryUntrusted";

  constructor(faults: readonly string[]) {
    super(
      `The schema tablewright cannot be trusted: ${faults.join("; ")}; nothing is changed until a person has looked`,
    );
  }
}

/** The role may do everything: whatever a table's expressions call would run with all rights. */
export class SuperuserRefused extends Error {
  override readonly name = "SuperuserRefused";

  constructor(role: string) {
    super(
      `Cannot work as the superuser "${role}": make a role (CREATE ROLE tablewright LOGIN NOSUPERUSER PASSWORD ...; ` +
        "GRANT CREATE, CONNECT ON DATABASE ... TO tablewright; GRANT USAGE, CREATE ON SCHEMA public TO tablewright) " +
        "or give --allow-superuser",
    );
  }
}

/** Before it the catalog is another one: what is read of a table would be wrong, or nothing. */
const OLDEST_VERSION = 15;

/** The server is older than what this operator knows. */
export class UnsupportedServer extends Error {
  override readonly name = "UnsupportedServer";

  constructor(version: number) {
    super(`Cannot manage tables on this server: it must be PostgreSQL ${OLDEST_VERSION} or newer: it is ${version}`);
  }
}

export interface GateOptions {
  readonly allowSuperuser: boolean;
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
}

/** How long an answer of the database about its registry is believed. */
const TRUST_MS = 30_000;
const LOCK_TIMEOUT_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 5_000;

/** One question to the database, which several callers wait for. */
interface Question {
  readonly answer: Promise<void>;
  /** Of the caller that asked. */
  readonly signal: AbortSignal;
}

/** Stands before every change: makes the registry if there is none, and lets nobody pass while it cannot be trusted. */
export class RegistryGate {
  readonly #database: Database;
  readonly #options: GateOptions;
  #trustedUntil = -Infinity;
  #running: Question | undefined;
  #databaseId: string | undefined;

  constructor(database: Database, options: GateOptions) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Returns at once while the last answer is fresh; callers that come at the same time share one question.
   *
   * @throws {UnsupportedServer | RegistryUntrusted | SuperuserRefused} if nothing may be changed.
   * @throws {PostgresError} if the database cannot be asked.
   */
  async check(signal: AbortSignal): Promise<void> {
    while (this.#options.now() >= this.#trustedUntil) {
      const question = this.#running ??= this.#begin(signal);
      try {
        return await question.answer;
      } catch (error) {
        // Whoever asked was stopped, for instance the sweep at the end of a term: that says nothing of the database.
        const wasStopped = question.signal !== signal && question.signal.aborted;
        if (!wasStopped || signal.aborted) throw error;
      }
    }
  }

  /** See `readDatabaseId()`; as of the last question. */
  get databaseId(): string | undefined {
    return this.#databaseId;
  }

  /** The next check asks again: the connection, and so perhaps the server, is another one. */
  distrust(): void {
    this.#trustedUntil = -Infinity;
  }

  #begin(signal: AbortSignal): Question {
    return { signal, answer: this.#ask(signal).finally(() => this.#running = undefined) };
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const limits = readOnly(signal);
    const version = await this.#database.transaction(limits, readVersion);
    if (version < OLDEST_VERSION) throw new UnsupportedServer(version);
    if (!this.#options.allowSuperuser) await refuseSuperuser(this.#database, signal);
    const made = await ensureRegistry(this.#database, signal);
    if (made.length > 0) throw new RegistryUntrusted(made);
    await this.#database.transaction(limits, async (transaction) => {
      const faults = await registryFaults(transaction);
      if (faults.length > 0) throw new RegistryUntrusted(faults);
      this.#databaseId = await readDatabaseId(transaction);
    });
    this.#trustedUntil = this.#options.now() + TRUST_MS;
  }
}

/**
 * Looks at our own role only, and changes nothing.
 *
 * @throws {SuperuserRefused} if it is a superuser.
 * @throws {PostgresError} if the database cannot be asked.
 */
export async function refuseSuperuser(database: Database, signal: AbortSignal): Promise<void> {
  const superuser = await database.transaction(readOnly(signal), readSuperuser);
  if (superuser !== undefined) throw new SuperuserRefused(superuser);
}

function readOnly(signal: AbortSignal): TransactionOptions {
  return { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal, readOnly: true };
}

/** The name of the role if it is a superuser. */
async function readSuperuser(transaction: Transaction): Promise<string | undefined> {
  const rows = await transaction.query<{ readonly rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE rolname = current_user AND rolsuper",
  );
  return rows[0]?.rolname;
}

async function readVersion(transaction: Transaction): Promise<number> {
  const [server] = await transaction.query<{ readonly version: number }>(
    "SELECT current_setting('server_version_num')::int4 / 10000 AS version",
  );
  return server?.version ?? 0;
}
