import { type DatabaseTable, FINALIZER } from "../../crds/database_table/types.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import { isSameJson } from "../../crds/same_json.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { type ApplyOutcome, applyTable } from "../../postgres/apply/apply.ts";
import type { Relation } from "../../postgres/catalog/relation.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import { conflictError } from "./conflict.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import type { DesiredTable } from "./desired.ts";
import { describeDrift, type Drift, driftEntries, NO_DRIFT } from "./drift.ts";
import { type Failure, failureOf } from "./failure.ts";
import { finalizeTable } from "./finalize.ts";
import { handsOffReason, isSuspended } from "./hands_off.ts";
import { wantedTable } from "./judge.ts";
import { type Observation, observePlan } from "./observe.ts";
import { originOf } from "./origin.ts";
import { PlanJudge, type Stop } from "./plan_judge.ts";
import { type ResolvedTable, resolveTable } from "./resolve.ts";
import { schemaFault } from "./schema_fault.ts";
import { specHashOf } from "./spec_hash.ts";
import { isReached, nextStatus } from "./status.ts";
import type { Finding, Ran, Report } from "./status_report.ts";
import type { DatabaseSweep } from "./sweep.ts";
import { understandSpec } from "./understand.ts";
import { verifyPlan } from "./verify.ts";
import { WaitTimes } from "./wait_times.ts";

/** When something outside must change first, and nobody tells us when it has. */
const RECHECK_MS = 5 * 60_000;
/** Somebody else works on the same name: it will not take long. Those that met once must not meet again. */
const BUSY_MS = { least: 40, spread: 160 };

/** Makes one table what its object says; level-triggered, so it may be called at any time and any number of times. */
export class TableReconciler {
  readonly #context: ReconcileContext;
  /** By uid: the resourceVersion at which nothing was left to do, so that the echo of our own write costs nothing. */
  readonly #settled = new Map<string, Settled>();
  readonly #waits = new WaitTimes();

  readonly #sweep: Pick<DatabaseSweep, "isUnchanged">;

  constructor(context: ReconcileContext, sweep: Pick<DatabaseSweep, "isUnchanged">) {
    this.#context = context;
    this.#sweep = sweep;
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const waitMs = this.#settledForMs(object);
    if (waitMs > 0) return waitMs === Infinity ? {} : { requeueAfterMs: waitMs };
    try {
      if (object.metadata.deletionTimestamp !== undefined) return await this.#finalize(object, signal);
      if (isSuspended(object)) {
        return await this.#settle(object, { finding: { kind: "Suspended" }, drift: NO_DRIFT }, signal);
      }
      if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) {
        // The write comes back as an event; nothing may exist that the finalizer does not guard.
        await this.#context.objects.addFinalizer(object, signal);
        return {};
      }
      return await this.#converge(object, signal);
    } catch (error) {
      return await this.#fail(object, error, signal);
    }
  }

  #busyMs(): number {
    return Math.round(BUSY_MS.least + this.#context.timing.random() * BUSY_MS.spread);
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    for (const [uid, settled] of this.#settled) {
      if (settled.key !== key) continue;
      this.#settled.delete(uid);
      this.#waits.forget(uid);
    }
  }

  /** The table of that object is not what it was: the next reconcile looks at it whatever is remembered. */
  suspect(object: DatabaseTable): void {
    this.#settled.delete(object.metadata.uid);
  }

  /** How long nothing needs to be done for this version of the object, in milliseconds. */
  #settledForMs(object: DatabaseTable): number {
    const settled = this.#settled.get(object.metadata.uid);
    if (settled?.resourceVersion !== object.metadata.resourceVersion) return 0;
    return settled.recheckAt - this.#context.now().getTime();
  }

  async #finalize(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) return {};
    const outcome = await finalizeTable(object, this.#context, signal);
    switch (outcome.kind) {
      case "released":
        return {};
      case "busy":
        return { requeueAfterMs: this.#busyMs() };
      case "needed":
        return await this.#wait(object, {
          reason: "WaitingForDependents",
          message: `the table is kept until these are gone: ${outcome.by.join("; ")}`,
        }, signal);
    }
  }

  async #converge(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const understood = await understandSpec(object.spec, originOf(object));
    const { errors, spec } = understood;
    if (errors.length > 0 || understood.desired?.table === undefined || spec === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors }, signal);
    }
    const specHash = await specHashOf(understood.desired.table);
    if (await this.#isUnchanged(object, specHash, signal)) return this.#rest(object, object.metadata.resourceVersion);
    await this.#context.gate.check(signal);
    const { desired, faults } = await this.#resolve(understood.desired, signal);
    const wanted = wantedTable(desired);
    if (faults.length > 0 || wanted === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors: faults, recheckMs: RECHECK_MS }, signal);
    }
    const claimant = {
      ...wanted,
      owner: ownerOf(object, this.#context.clusterId),
      adoption: { policy: desired.adoptionPolicy, renames: desired.renames },
    };
    if (spec.mode === "Observe") return await this.#observe(object, { desired, claimant }, signal);
    const wasReached = object.status?.applied?.hash === specHash;
    const judge = new PlanJudge({ desired, wanted, specHash, wasReached, driftAction: spec.drift.action });
    const outcome = await this.#apply(object, { desired, claimant, specHash, judge }, signal);
    return await this.#conclude(object, { outcome, judge, specHash }, signal);
  }

  /** After a start one look at all tables stands for one at each. */
  async #isUnchanged(object: DatabaseTable, specHash: string, signal: AbortSignal): Promise<boolean> {
    if (!isReached(object, specHash) || handsOffReason(object) !== undefined) return false;
    return await this.#sweep.isUnchanged(object, specHash, signal);
  }

  async #observe(object: DatabaseTable, observation: Observation, signal: AbortSignal): Promise<ReconcileResult> {
    const { lockTimeoutMs, statementTimeoutMs } = observation.desired.changePolicy;
    const limits = { lockTimeoutMs, statementTimeoutMs, signal, readOnly: true };
    const finding = await this.#context.database.transaction(
      limits,
      (transaction) => observePlan(transaction, observation),
    );
    return await this.#settle(object, { finding, drift: NO_DRIFT, recheckMs: RECHECK_MS }, signal);
  }

  async #apply(
    object: DatabaseTable,
    work: Observation & { readonly specHash: string; readonly judge: PlanJudge },
    signal: AbortSignal,
  ): Promise<ApplyOutcome<Stop>> {
    const { desired, claimant, specHash, judge } = work;
    const { lockTimeoutMs, statementTimeoutMs } = desired.changePolicy;
    return await applyTable<Stop>(this.#context.database, {
      ...claimant,
      specHash,
      wasMade: object.status?.observed?.oid !== undefined,
      isLiving: async () => (await this.#context.objects.read(object, signal))?.metadata.uid === object.metadata.uid,
      verify: async (transaction, seen) => {
        const { faults, searchPath } = await verifyPlan(transaction, desired, seen);
        return { faults: faults.map((error) => ({ kind: "Fault", error })), searchPath };
      },
      judge: (plan, situation) => judge.judge(plan, situation),
    }, { lockTimeoutMs, statementTimeoutMs, signal });
  }

  /** Types get their schema before anything is planned. */
  async #resolve(desired: DesiredTable, signal: AbortSignal): Promise<ResolvedTable> {
    if (desired.types.length === 0) return { desired, faults: [] };
    const { lockTimeoutMs, statementTimeoutMs } = desired.changePolicy;
    return await this.#context.database.transaction(
      { lockTimeoutMs, statementTimeoutMs, signal, readOnly: true },
      (transaction) => resolveTable(transaction, desired),
    );
  }

  async #conclude(object: DatabaseTable, applied: Applied, signal: AbortSignal): Promise<ReconcileResult> {
    const { outcome } = applied;
    switch (outcome.kind) {
      case "done":
        return await this.#finish(object, { ...applied, outcome }, signal);
      case "refused":
        return await this.#stop(object, { ...applied, outcome }, signal);
      case "conflict":
        // The other side may go away, and no event of ours will tell.
        return await this.#refuse(object, {
          reason: "OwnershipConflict",
          errors: [conflictError(outcome.conflict)],
          drift: NO_DRIFT,
          recheckMs: RECHECK_MS,
        }, signal);
      case "noSchema": {
        const errors = [forbidden("spec.schema", schemaFault(outcome.exists))];
        return await this.#refuse(object, { reason: "InvalidSpec", errors, recheckMs: RECHECK_MS }, signal);
      }
      case "fenced": {
        const message = `generation ${outcome.generation} of this object was applied before: ` +
          `this one (${object.metadata.generation}) is older, for instance because the cluster was restored`;
        return await this.#settle(object, {
          finding: { kind: "Waiting", reason: "Fenced", message },
          recheckMs: RECHECK_MS,
        }, signal);
      }
      case "busy":
        return { requeueAfterMs: this.#busyMs() };
    }
  }

  async #finish(
    object: DatabaseTable,
    { outcome, judge, specHash }: Applied<"done">,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { relation, waiting } = outcome;
    if (outcome.adopted) {
      const note = `table ${relation.schema}.${relation.name} was there and is taken over`;
      this.#context.recordEvent(object, { type: "Normal", reason: "Adopted", note });
    }
    const ran = this.#tellWhatRan(object, outcome, judge);
    const drift = judge.left;
    if (waiting.length === 0) {
      this.#waits.forget(object.metadata.uid);
      this.#tellDrift(object, drift);
      const finding = this.#ready(relation, { specHash, judge });
      return await this.#settle(object, { finding, drift, ran }, signal);
    }
    const tables = waiting.map(({ references }) => `${references.schema}.${references.table}`);
    const message = `waiting for ${[...new Set(tables)].join(", ")}, which a foreign key refers to`;
    return await this.#wait(object, { reason: "WaitingForReference", message, drift, ran }, signal);
  }

  /** Something of the plan must not run: it is refused, or drift that is left as it is. */
  async #stop(
    object: DatabaseTable,
    { outcome, judge, specHash }: Applied<"refused">,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const ran = this.#tellWhatRan(object, { ...outcome, created: false, adopted: false }, judge);
    const errors = outcome.faults.flatMap((stop) => stop.kind === "Fault" ? [stop.error] : []);
    const drift = judge.left;
    this.#tellDrift(object, drift);
    if (errors.length > 0) {
      // The message says what a person can do in the database, which no event of ours will tell.
      const refusal = { reason: "PlanRefused", errors, drift, ran, recheckMs: RECHECK_MS } as const;
      return await this.#refuse(object, refusal, signal);
    }
    const { ignored } = judge;
    const finding = ignored === undefined
      ? { kind: "Drifted", message: describeDrift(drift) } as const
      : this.#ready(ignored.relation, { specHash, judge });
    return await this.#settle(object, { finding, drift, ran }, signal);
  }

  #ready(relation: Relation, { specHash, judge }: Pick<Applied, "specHash" | "judge">): Finding {
    const { address } = this.#context.database;
    const database = address.slice(address.lastIndexOf("/") + 1);
    return { kind: "Ready", relation, specHash, database, ignoresDrift: judge.ignoresDrift };
  }

  /** What is waited for comes as an event of somebody else: looked for soon, and less often the longer it takes. */
  async #wait(
    object: DatabaseTable,
    { reason, message, ...rest }: Omit<Report, "finding"> & { readonly reason: string; readonly message: string },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const recheckMs = this.#waits.next(object.metadata.uid);
    return await this.#settle(object, { finding: { kind: "Waiting", reason, message }, recheckMs, ...rest }, signal);
  }

  #tellWhatRan(
    object: DatabaseTable,
    outcome: { readonly statements: readonly Statement[]; readonly created: boolean; readonly adopted: boolean },
    { found }: PlanJudge,
  ): Ran | undefined {
    const statements = outcome.statements.map((statement) => statement.sql);
    if (statements.length === 0) return outcome.adopted ? { change: "Adopted", statements } : undefined;
    const isCorrection = found.named.length > 0;
    const change = isCorrection ? "Corrected" : outcome.created ? "Created" : "Altered";
    if (isCorrection) this.#recordDrift(object, { ...found, unnamed: [] });
    this.#context.recordEvent(object, { type: "Normal", reason: change, note: statements.join("; ") });
    return { change: outcome.adopted ? "Adopted" : change, statements };
  }

  /** Once: what the status says already is not told again. */
  #tellDrift(object: DatabaseTable, drift: Drift): void {
    const entries = driftEntries(drift);
    if (entries.length > 0 && !isSameJson(entries, object.status?.drift)) this.#recordDrift(object, drift);
  }

  #recordDrift(object: DatabaseTable, drift: Drift): void {
    this.#context.recordEvent(object, { type: "Warning", reason: "Drifted", note: describeDrift(drift) });
  }

  async #refuse(
    object: DatabaseTable,
    refusal: Omit<Report, "finding"> & {
      readonly reason: "InvalidSpec" | "PlanRefused" | "OwnershipConflict";
      readonly errors: readonly FieldError[];
      /** When something other than the object may have mended it; absent: never. */
      readonly recheckMs?: number;
    },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { reason, errors, ...rest } = refusal;
    this.#context.recordEvent(object, { type: "Warning", reason, note: errors.map(formatFieldError).join("; ") });
    return await this.#settle(object, { finding: { kind: "Faulty", reason, errors }, ...rest }, signal);
  }

  /** Writes the status and remembers that this version of the object needs nothing more, for ever or for a while. */
  async #settle(
    object: DatabaseTable,
    { recheckMs, ...report }: Report & { readonly recheckMs?: number | undefined },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const status = nextStatus(object, report, timestamp(this.#context.now()));
    return this.#rest(object, await this.#context.objects.writeStatus(object, status, signal), recheckMs);
  }

  #rest(object: DatabaseTable, resourceVersion: string, recheckMs = Infinity): ReconcileResult {
    const { namespace, name, uid } = object.metadata;
    const recheckAt = this.#context.now().getTime() + recheckMs;
    this.#settled.set(uid, { key: `${namespace}/${name}`, resourceVersion, recheckAt });
    return recheckMs === Infinity ? {} : { requeueAfterMs: recheckMs };
  }

  /** Says in status and event why a failure keeps the table from its spec, then lets the controller retry. */
  async #fail(object: DatabaseTable, error: unknown, signal: AbortSignal): Promise<ReconcileResult> {
    const failure: Failure | undefined = failureOf(error);
    if (failure === undefined || signal.aborted) throw error;
    this.#settled.delete(object.metadata.uid);
    this.#context.gate.distrust();
    const status = nextStatus(object, { finding: { kind: "Failing", ...failure } }, timestamp(this.#context.now()));
    this.#context.recordEvent(object, { type: "Warning", reason: failure.reason, note: failure.message });
    await this.#context.objects.writeStatus(object, status, signal);
    if (failure.retryNow) throw error;
    return { requeueAfterMs: RECHECK_MS };
  }
}

interface Applied<K extends ApplyOutcome<Stop>["kind"] = ApplyOutcome<Stop>["kind"]> {
  readonly outcome: Extract<ApplyOutcome<Stop>, { readonly kind: K }>;
  readonly judge: PlanJudge;
  readonly specHash: string;
}

interface Settled {
  readonly key: string;
  readonly resourceVersion: string;
  /** Milliseconds since 1970; Infinity if only a change of the object can bring new work. */
  readonly recheckAt: number;
}

/** RFC 3339 with seconds, as `metav1.Time` wants it. */
function timestamp(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, "Z");
}
