import type { FieldError } from "../../../crds/field_error.ts";
import { ProbeMemory } from "../../../postgres/data/memory.ts";
import type { Database, TransactionOptions } from "../../../postgres/session/client.ts";
import { observeRegistry, registryReader } from "../../../postgres/registry/registry_reader.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import { lookWithPrints, withPrints } from "../../../postgres/situation/look_with_prints.ts";
import { type FindOwned, observeSituation, type Situation } from "../../../postgres/situation/situation.ts";
import type { Table } from "../../../postgres/table.ts";
import type { DesiredTable } from "../spec/desired.ts";
import { type ResolvedTable, resolveTable } from "./resolve.ts";
import { literalFaults } from "./verify_literals.ts";
import { type DataRequest, type DataVerdict, verifyData } from "./verify_data.ts";
import { verifyPlan } from "./verify.ts";

/** Which object asks, and what it wants. */
export interface Question {
  readonly namespace: string;
  readonly name: string;
  /** Empty before the API server has given one. */
  readonly uid: string;
  /** The cluster whose table the object may take. */
  readonly takeOver: string | undefined;
  readonly desired: DesiredTable & { readonly table: Table };
}

/** What stands where a table is wanted, and the spec with the schemas of its types. */
export interface Look extends ResolvedTable {
  readonly situation: Situation;
}

/** No user waits longer for a verdict because the catalog is locked. */
const LOCK_TIMEOUT_MS = 100;
const STATEMENT_TIMEOUT_MS = 2_000;
const UNDEFINED_TABLE = "42P01";
/** The registry's uid columns are uuids; no object has this one. */
const NO_UID = "00000000-0000-0000-0000-000000000000";

export interface LiveCatalogOptions {
  readonly database: Database;
  readonly clusterId: string;
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** See `ProbeMemory`. */
  readonly violationKeptMs?: number;
  /** Of the registry, where there may be none. */
  readonly find?: FindOwned;
}

/** Answers questions about a spec from the database, read-only and within a deadline. */
export class LiveCatalog {
  readonly #database: Database;
  readonly #clusterId: string;
  readonly #allowedFunctions: ReadonlySet<string>;
  readonly #find: FindOwned | undefined;
  readonly #memory: ProbeMemory;

  constructor({ database, clusterId, allowedFunctions, violationKeptMs, find }: LiveCatalogOptions) {
    this.#find = find;
    this.#memory = new ProbeMemory(() => performance.now(), violationKeptMs);
    this.#database = database;
    this.#clusterId = clusterId;
    this.#allowedFunctions = allowedFunctions;
  }

  /**
   * On a server that no operator has worked on nobody owns anything, so that its first table gets a whole verdict, too.
   *
   * @throws {PostgresError} if the database cannot be asked in time.
   */
  async look(question: Question, signal: AbortSignal): Promise<Look> {
    try {
      return await this.#look(question, this.#find, signal);
    } catch (error) {
      if (!await this.#lacksRegistry(error, signal)) throw error;
      return await this.#look(question, registryReader("absent"), signal);
    }
  }

  async #look(
    { namespace, name, uid, takeOver, desired: asked }: Question,
    find: FindOwned | undefined,
    signal: AbortSignal,
  ): Promise<Look> {
    const owner = { clusterId: this.#clusterId, namespace, name, uid: uid === "" ? NO_UID : uid, generation: 0 };
    return await lookWithPrints(
      this.#database,
      limits(signal),
      async (prints) =>
        await this.#database.transaction(readOnly(signal), async (transaction) => {
          const { desired, faults } = await resolveTable(transaction, asked, this.#allowedFunctions);
          const { table = asked.table, renames, adoptionPolicy } = desired;
          const adoption = { policy: adoptionPolicy, renames, takeOver };
          const claimant = withPrints({ owner, desired: table, adoption }, prints);
          return { desired, faults, claimant, situation: await observeSituation(transaction, claimant, find) };
        }),
    );
  }

  /** Whether a failure means that there is no registry; one that is there and hidden from us is another matter. */
  async #lacksRegistry(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (!(error instanceof PostgresError) || error.sqlstate !== UNDEFINED_TABLE) return false;
    return await this.#database.transaction(readOnly(signal), observeRegistry) === "absent";
  }

  /** What the catalog knows of a plan: types, functions, literals, dependents. @throws {PostgresError} as `look()`. */
  async verify(
    request: DataRequest & { readonly previous: Table | undefined },
    signal: AbortSignal,
  ): Promise<readonly FieldError[]> {
    const { desired, situation, judged, previous } = request;
    const { faults } = await this.#database.transaction(
      readOnly(signal),
      (transaction) =>
        verifyPlan(transaction, desired, { plan: judged.plan, situation, allowed: this.#allowedFunctions }),
    );
    // A cast is not executed, but nothing is asked about a type that is refused anyway.
    if (faults.length > 0) return faults;
    return await literalFaults(this.#database, { desired, previous }, limits(signal));
  }

  /** What the rows know of a plan. Never throws for a database that does not answer. */
  async ask(request: DataRequest, signal: AbortSignal): Promise<DataVerdict> {
    return await verifyData(this.#database, request, { memory: this.#memory, signal });
  }
}

function limits(signal: AbortSignal): Omit<TransactionOptions, "readOnly"> {
  return { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal };
}

function readOnly(signal: AbortSignal): TransactionOptions {
  return { ...limits(signal), readOnly: true };
}
