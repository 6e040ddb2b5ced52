import type { Database } from "../../postgres/session/client.ts";
import { observeSituation, type Situation } from "../../postgres/situation.ts";
import type { Table } from "../../postgres/table.ts";
import { type LiveVerdict, verifyLive, type VerifyRequest } from "./verify.ts";

/** Which object asks, and what it wants. */
export interface Question {
  readonly namespace: string;
  readonly name: string;
  /** Empty before the API server has given one. */
  readonly uid: string;
  readonly desired: Table;
}

/** No user waits longer for a verdict because the catalog is locked. */
const LOCK_TIMEOUT_MS = 100;
const STATEMENT_TIMEOUT_MS = 2_000;
/** The registry's uid columns are uuids; no object has this one. */
const NO_UID = "00000000-0000-0000-0000-000000000000";

/** Answers admission's questions from the database, read-only and within a deadline. */
export class LiveCatalog {
  readonly #database: Database;
  readonly #clusterId: string;

  constructor(database: Database, clusterId: string) {
    this.#database = database;
    this.#clusterId = clusterId;
  }

  /** @throws {PostgresError} if the database cannot be asked in time. */
  async look({ namespace, name, uid, desired }: Question, signal: AbortSignal): Promise<Situation> {
    const owner = { clusterId: this.#clusterId, namespace, name, uid: uid === "" ? NO_UID : uid, generation: 0 };
    return await this.#database.transaction(
      { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal, readOnly: true },
      (transaction) => observeSituation(transaction, { owner, desired }),
    );
  }

  /** What only the live database knows of a plan: types, functions, rows, dependents. */
  async verify(request: VerifyRequest, signal: AbortSignal): Promise<LiveVerdict> {
    const limits = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal };
    return await verifyLive(this.#database, request, limits);
  }
}
