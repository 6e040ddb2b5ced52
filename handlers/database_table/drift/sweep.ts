import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import type { Logger } from "../../../kube/telemetry/logger.ts";
import { pause, type Timing, untilAborted } from "../../../kube/timing.ts";
import type { RegistryGate } from "../../../postgres/registry/registry_gate.ts";
import {
  type ChangedTable,
  findChangedTables,
  findRecordedTables,
  type RecordedTable,
  refreshFingerprints,
} from "../../../postgres/registry/sweep.ts";
import type { Database, Transaction, TransactionOptions } from "../../../postgres/session/client.ts";
import { saysTableMissing } from "./drift.ts";
import { failureOf } from "../failure.ts";
import { handsOffReason } from "../hands_off.ts";
import { kopfStateOf } from "../spec/origin.ts";
import { compareTables, type Doubt, relies } from "./sweep_compare.ts";

/** One database, and what a sweep of it needs. */
export interface SweepContext {
  readonly database: Database;
  readonly gate: Pick<RegistryGate, "check">;
  readonly clusterId: string;
  /** See `Config.allowedFunctions`. */
  readonly allowedFunctions: ReadonlySet<string>;
  /** Between two sweeps, more or less. */
  readonly sweepIntervalMs: number;
  /** Tells the end of every outage of the database until `signal` is aborted. */
  readonly onBack: (listener: () => void, signal: AbortSignal) => void;
  readonly timing: Pick<Timing, "uptime" | "random" | "delay">;
  readonly logger: Logger;
}

/** The objects whose tables may be in the database. */
export interface SweptObjects {
  /** By `namespace/name`. */
  readonly get: (key: string) => DatabaseTable | undefined;
  readonly all: () => readonly DatabaseTable[];
  /** Resolves once every object is known that may be listed. */
  readonly whenSynced: (signal: AbortSignal) => Promise<void>;
  /** The table of this object is not what it was: look at it, when there is time. */
  readonly suspect: (object: DatabaseTable) => void;
}

const JITTER = 0.1;
const LOCK_TIMEOUT_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Tables that one query observes: more cost memory and no less time. */
const CHUNK = 200;
/** So long a first look waits for objects that are not listed yet: behind it wait the workers, also for the others. */
const LIST_PATIENCE_MS = 10_000;

/**
 * Finds what somebody changed by hand in one database. The registry's fingerprints are compared with the catalog's row
 * versions in one query, whatever the number of tables; only what differs is observed, many tables a query. What is still
 * as it should be gets its new fingerprint, the rest is handed to the loop.
 *
 * The same comparison tells after a start which tables need no look of their own.
 */
export class DatabaseSweep {
  readonly #context: SweepContext;
  /** Set while this replica reconciles. */
  #running = Promise.withResolvers<Round>();
  /** By uid: tables that nobody changed while we were away; each is asked for once. */
  #unchanged: Promise<Map<string, RecordedTable>> | undefined;

  constructor(context: SweepContext) {
    this.#context = context;
  }

  /** Sweeps until `signal` is aborted; never rejects for a database that does not answer. */
  async run(objects: SweptObjects, signal: AbortSignal): Promise<void> {
    const { timing } = this.#context;
    const round = { objects, signal, patientUntil: timing.uptime() + LIST_PATIENCE_MS };
    this.#running.resolve(round);
    let due = new AbortController();
    this.#context.onBack(() => due.abort(), signal);
    try {
      await this.#try(round, () => this.#firstLook());
      while (!signal.aborted) {
        await this.#untilDue(AbortSignal.any([signal, due.signal]));
        due = new AbortController();
        if (!signal.aborted) await this.#try(round, () => this.#sweep(round));
      }
    } finally {
      // Whoever reconciles next must look for itself.
      this.#running = Promise.withResolvers();
      this.#unchanged = undefined;
    }
  }

  /**
   * Whether the table of an object that was Ready before this start is known to be as it was recorded for this very spec.
   * Waits for the first look at all tables; answers `true` once an object at most.
   *
   * @throws {PostgresError} if the database cannot be asked; the next call asks again.
   */
  async isUnchanged(object: DatabaseTable, specHash: string, signal: AbortSignal): Promise<boolean> {
    const unchanged = await untilAborted(this.#firstLook(), signal);
    const { uid, generation } = object.metadata;
    const row = unchanged.get(uid);
    unchanged.delete(uid);
    return row?.isBound === true && row.specHash === specHash && row.generation <= generation;
  }

  /** @param signal Aborted by a server that comes back, too: it may have lost what it had committed, and nobody waits to find out. */
  async #untilDue(signal: AbortSignal): Promise<void> {
    const { timing, sweepIntervalMs } = this.#context;
    const jitter = 1 + JITTER * (2 * timing.random() - 1);
    await pause(timing, sweepIntervalMs * jitter, signal);
  }

  #firstLook(): Promise<Map<string, RecordedTable>> {
    return this.#unchanged ??= this.#lookAtAll().catch((error) => {
      this.#unchanged = undefined;
      throw error;
    });
  }

  async #lookAtAll(): Promise<Map<string, RecordedTable>> {
    const round = await this.#running.promise;
    try {
      return await this.#lookIn(round);
    } catch (error) {
      // A sweep that was stopped says nothing of the database: whoever waits for it looks for itself.
      if (round.signal.aborted) return new Map();
      throw error;
    }
  }

  async #lookIn(round: Round): Promise<Map<string, RecordedTable>> {
    const { signal } = round;
    await this.#whenListed(round);
    await this.#context.gate.check(signal);
    const { changed, recorded } = await this.#readRegistry(signal);
    const { suspects, unknown } = await this.#compare(changed, round);
    for (const uid of [...suspects.map(({ metadata }) => metadata.uid), ...unknown]) recorded.delete(uid);
    return recorded;
  }

  /** Waits until all objects are known, so that many are compared at once; what comes later is looked at by itself. */
  async #whenListed({ objects, signal, patientUntil }: Round): Promise<void> {
    const { timing } = this.#context;
    const listed = new AbortController();
    const patience = pause(
      timing,
      Math.max(0, patientUntil - timing.uptime()),
      AbortSignal.any([signal, listed.signal]),
    );
    try {
      await Promise.race([objects.whenSynced(signal), patience]);
    } finally {
      listed.abort();
    }
  }

  async #sweep(round: Round): Promise<void> {
    const { signal } = round;
    const { gate, timing, logger } = this.#context;
    const start = timing.uptime();
    await gate.check(signal);
    const { changed, recorded } = await this.#readRegistry(signal);
    const { suspects: drifted, refreshed, unknown } = await this.#compare(changed, round);
    const lost = round.objects.all().filter((object) => isSwept(object) && isLost(object, recorded));
    const suspects = new Set([...drifted, ...lost]);
    const unchanged = await this.#firstLook();
    for (const uid of unknown) unchanged.delete(uid);
    for (const object of suspects) {
      unchanged.delete(object.metadata.uid);
      round.objects.suspect(object);
    }
    const figures = { changed: changed.length, refreshed, suspects: suspects.size };
    logger.debug("swept the database", { ...figures, durationMs: timing.uptime() - start });
  }

  /** Parts what somebody changed from what only has new row versions, and makes the registry know the latter. */
  async #compare(
    changed: readonly ChangedTable[],
    { objects, signal }: Round,
  ): Promise<Comparison> {
    const suspects: DatabaseTable[] = [];
    const unknown: string[] = [];
    const doubtful: Doubt[] = [];
    for (const row of changed) {
      const object = objects.get(`${row.namespace}/${row.name}`);
      if (object === undefined || object.metadata.uid !== row.uid || !isSwept(object)) {
        unknown.push(row.uid);
        continue;
      }
      const { fingerprint } = row;
      if (fingerprint !== undefined) doubtful.push({ object, id: row.id, fingerprint });
      else if (relies(object) && !saysTableMissing(object.status?.drift ?? [])) suspects.push(object);
    }
    const { allowedFunctions: allowed } = this.#context;
    let refreshed = 0;
    for (let first = 0; first < doubtful.length; first += CHUNK) {
      const chunk = doubtful.slice(first, first + CHUNK);
      const compared = await this.#read(signal, (transaction) => compareTables(transaction, chunk, allowed));
      suspects.push(...compared.suspects);
      refreshed += compared.refreshes.length;
      if (compared.refreshes.length === 0) continue;
      await this.#context.database.transaction(
        { ...limits(signal), readOnly: false },
        (transaction) => refreshFingerprints(transaction, compared.refreshes),
      );
    }
    return { suspects, refreshed, unknown };
  }

  /** What differs from the registry, and all that the registry says. */
  async #readRegistry(signal: AbortSignal): Promise<{
    readonly changed: readonly ChangedTable[];
    readonly recorded: Map<string, RecordedTable>;
  }> {
    const { clusterId } = this.#context;
    return await this.#read(signal, async (transaction) => {
      const [changed, recorded] = await Promise.all([
        findChangedTables(transaction, clusterId),
        findRecordedTables(transaction, clusterId),
      ]);
      return { changed, recorded };
    });
  }

  async #read<T>(signal: AbortSignal, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return await this.#context.database.transaction({ ...limits(signal), readOnly: true }, work);
  }

  /** A sweep that fails is made up by the next one. */
  async #try({ signal }: Round, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (failureOf(error)?.reason !== "InternalError") {
        // Its objects say so in their status.
        this.#context.logger.debug("the database could not be swept", { reason });
      } else {
        const stack = error instanceof Error ? error.stack : undefined;
        this.#context.logger.error("the sweep failed, which is a bug", { reason, stack });
      }
    }
  }
}

interface Round {
  readonly objects: SweptObjects;
  readonly signal: AbortSignal;
  /** Milliseconds of the clock that never jumps. */
  readonly patientUntil: number;
}

/** What became of the tables that somebody changed. */
interface Comparison {
  readonly suspects: readonly DatabaseTable[];
  readonly refreshed: number;
  /** Uids of those that nobody could judge: their objects are not known (yet), or are left alone. */
  readonly unknown: readonly string[];
}

function limits(signal: AbortSignal): Omit<TransactionOptions, "readOnly"> {
  return { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal };
}

/**
 * Whether the server has forgotten what an object's status says of it. Table and registry go back together, as after a failover that
 * loses commits, so that nothing differs between the two.
 */
function isLost(object: DatabaseTable, recorded: ReadonlyMap<string, RecordedTable>): boolean {
  const { metadata: { uid }, status } = object;
  return relies(object) && status?.applied !== undefined && recorded.get(uid)?.specHash !== status.applied.hash;
}

function isSwept(object: DatabaseTable): boolean {
  return object.metadata.deletionTimestamp === undefined && handsOffReason(object) === undefined &&
    kopfStateOf(object) !== "Active";
}
