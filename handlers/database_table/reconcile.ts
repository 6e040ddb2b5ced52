import { APPROVE_ANNOTATION, type DatabaseTable, FINALIZER, type PlanStatus } from "../../crds/database_table/types.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { type ApplyOutcome, applyTable } from "../../postgres/apply/apply.ts";
import type { PlannedTable } from "../../postgres/plan/planning.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import { forgetApproval } from "../../postgres/registry/approval.ts";
import { hasKopfMarks, KOPF_FINALIZER, type KopfState, kopfState, OTHER_OPERATOR_ACTIVE } from "../kopf_takeover.ts";
import { describeApprovalNeeded, type PlanApproval } from "./approval.ts";
import { conflictError } from "./conflict.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import { type Failure, failureOf } from "./failure.ts";
import { finalizeTable, keepsTable } from "./finalize.ts";
import { wantedTable } from "./judge.ts";
import { everyFault, isApprovalNeeded, type Objection } from "./objections.ts";
import { originOf } from "./origin.ts";
import { planStatus, statementsOfPlan, waitingStatements } from "./plan_status.ts";
import type { DesiredTable } from "./desired.ts";
import { type ResolvedTable, resolveTable } from "./resolve.ts";
import { schemaFault } from "./schema_fault.ts";
import { type Finding, nextStatus } from "./status.ts";
import { hashOf, limitsOf, readApproval, REGISTRY_LIMITS, tableRequest } from "./table_request.ts";
import { understandSpec, type UnderstoodSpec } from "./understand.ts";
import { WaitTimes } from "./wait_times.ts";

/** When something outside must change first, and nobody tells us when it has. */
const RECHECK_MS = 5 * 60_000;
/** Somebody else works on the same name: it will not take long. */
const BUSY_MS = 500;

/** Makes one table what its object says; level-triggered, so it may be called at any time and any number of times. */
export class TableReconciler {
  readonly #context: ReconcileContext;
  /** By uid: the resourceVersion at which nothing was left to do, so that the echo of our own write costs nothing. */
  readonly #settled = new Map<string, Settled>();
  readonly #waits = new WaitTimes();
  /** By uid: statements that this reconcile has yet to run. */
  readonly #pending = new Map<string, readonly Statement[]>();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const waitMs = this.#settledForMs(object);
    if (waitMs > 0) return waitMs === Infinity ? {} : { requeueAfterMs: waitMs };
    try {
      const kopf = kopfState(object.metadata, object.status?.observed?.oid !== undefined);
      if (object.metadata.deletionTimestamp !== undefined) return await this.#finalize(object, kopf, signal);
      if (kopf === "Active") return await this.#handOff(object, signal);
      if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) {
        // The write comes back as an event; nothing may exist that the finalizer does not guard.
        await this.#context.objects.addFinalizer(object, signal);
        return {};
      }
      return await this.#converge(object, signal);
    } catch (error) {
      return await this.#fail(object, error, signal);
    } finally {
      this.#pending.delete(object.metadata.uid);
    }
  }

  /** Another operator is running: whatever we did, it might undo. The removal of its marks comes as an event. */
  async #handOff(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const { reason, message } = OTHER_OPERATOR_ACTIVE;
    this.#context.recordEvent(object, { type: "Warning", reason, note: message });
    return await this.#settle(object, { finding: { kind: "Stalled", reason, message } }, signal);
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    for (const [uid, settled] of this.#settled) {
      if (settled.key !== key) continue;
      this.#settled.delete(uid);
      this.#waits.forget(uid);
    }
  }

  /** How long nothing needs to be done for this version of the object, in milliseconds. */
  #settledForMs(object: DatabaseTable): number {
    const settled = this.#settled.get(object.metadata.uid);
    if (settled?.resourceVersion !== object.metadata.resourceVersion) return 0;
    return settled.recheckAt - this.#context.now().getTime();
  }

  async #finalize(object: DatabaseTable, kopf: KopfState, signal: AbortSignal): Promise<ReconcileResult> {
    const held = object.metadata.finalizers ?? [];
    // One that takes no new finalizer is finalized under the one that kopf left.
    if (!held.includes(FINALIZER) && !held.includes(KOPF_FINALIZER)) return {};
    if (kopf === "Active" && keepsTable(object) === undefined) return await this.#handOff(object, signal);
    const outcome = await finalizeTable(object, this.#context, signal);
    switch (outcome.kind) {
      case "released":
        return {};
      case "busy":
        return { requeueAfterMs: BUSY_MS };
      case "needed":
        return await this.#wait(object, {
          reason: "WaitingForDependents",
          message: `the table is kept until these are gone: ${outcome.by.join("; ")}`,
        }, signal);
    }
  }

  async #converge(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const understood = await understandSpec(object.spec, originOf(object));
    if (understood.errors.length > 0 || understood.desired === undefined) {
      return await this.#refuseSpec(object, understood, signal);
    }
    await this.#context.gate.check(signal);
    const { desired, faults } = await this.#resolve(understood.desired, signal);
    const wanted = wantedTable(desired);
    if (faults.length > 0 || wanted === undefined) return await this.#refuseSpec(object, understood, signal);
    const approval = await readApproval(this.#context, { object, spec: understood.spec }, signal);
    const onPlan = (plan: PlannedTable) => this.#pending.set(object.metadata.uid, statementsOfPlan(plan));
    const outcome = await applyTable<Objection>(this.#context.database, {
      ...wanted,
      ...tableRequest(this.#context, { object, desired, approval, onPlan }, signal),
      specHash: await hashOf(wanted.desired),
    }, { ...limitsOf(desired), signal });
    return await this.#conclude(object, { outcome, approval }, signal);
  }
  /** With every other fault that the database shows beside those of the spec. */
  async #refuseSpec(object: DatabaseTable, understood: UnderstoodSpec, signal: AbortSignal): Promise<ReconcileResult> {
    const errors = await everyFault(this.#context.catalog, { object, understood }, signal);
    const isSpec = errors.length === understood.errors.length;
    return await this.#refuse(
      object,
      { reason: "InvalidSpec", errors, ...(isSpec ? {} : { recheckMs: RECHECK_MS }) },
      signal,
    );
  }

  /** Types get their schema before anything is planned. */
  async #resolve(desired: DesiredTable, signal: AbortSignal): Promise<ResolvedTable> {
    if (desired.types.length === 0) return { desired, faults: [] };
    return await this.#context.database.transaction(
      { ...limitsOf(desired), signal, readOnly: true },
      (transaction) => resolveTable(transaction, desired, this.#context.allowedFunctions),
    );
  }

  async #conclude(
    object: DatabaseTable,
    ended: Ended,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { outcome } = ended;
    switch (outcome.kind) {
      case "done":
        return await this.#finish(object, { ...ended, outcome }, signal);
      case "refused":
        this.#tellWhatRan(object, outcome.statements, "Altered");
        return await this.#refusePlan(object, outcome.faults, signal);
      case "conflict":
        // The other side may go away, and no event of ours will tell.
        return await this.#refuse(object, {
          reason: "OwnershipConflict",
          errors: [conflictError(outcome.conflict)],
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
        return { requeueAfterMs: BUSY_MS };
    }
  }

  async #refusePlan(
    object: DatabaseTable,
    objections: readonly Objection[],
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const errors = objections.filter((each): each is FieldError => !isApprovalNeeded(each));
    const needed = objections.find(isApprovalNeeded);
    if (errors.length > 0 || needed === undefined) {
      // The message says what a person can do in the database, which no event of ours will tell.
      return await this.#refuse(object, { reason: "PlanRefused", errors, recheckMs: RECHECK_MS }, signal);
    }
    const message = describeApprovalNeeded(needed).replace("NAME", object.metadata.name);
    this.#context.recordEvent(object, { type: "Normal", reason: "ApprovalRequired", note: message });
    // Whether the plan is still the same depends on the table, of which no event tells.
    return await this.#settle(object, { finding: { kind: "Unapproved", message }, recheckMs: RECHECK_MS }, signal);
  }

  async #finish(object: DatabaseTable, ended: Ended<"done">, signal: AbortSignal): Promise<ReconcileResult> {
    const { outcome: { relation, waiting, ...outcome }, approval } = ended;
    this.#pending.set(object.metadata.uid, waitingStatements(relation, waiting));
    if (outcome.adopted) {
      const note = `table ${relation.schema}.${relation.name} was there and is taken over`;
      this.#context.recordEvent(object, { type: "Normal", reason: "Adopted", note });
    }
    this.#tellWhatRan(object, outcome.statements, outcome.created ? "Created" : "Altered");
    if (await this.#letGo(object, approval, signal)) return {};
    if (waiting.length === 0) {
      this.#waits.forget(object.metadata.uid);
      return await this.#settle(object, { finding: { kind: "Ready", relation } }, signal);
    }
    const tables = waiting.map(({ references }) => `${references.schema}.${references.table}`);
    const message = `waiting for ${[...new Set(tables)].join(", ")}, which a foreign key refers to`;
    return await this.#wait(object, { reason: "WaitingForReference", message }, signal);
  }

  /**
   * Takes away what must not outlive the plan that is done: its approval, and the marks of the operator before us.
   *
   * @returns Whether the object was written: that comes back as an event.
   */
  async #letGo(object: DatabaseTable, approval: PlanApproval, signal: AbortSignal): Promise<boolean> {
    const { database, objects, clusterId } = this.#context;
    if (approval.isHeld) {
      const owner = ownerOf(object, clusterId);
      await database.transaction(
        { ...REGISTRY_LIMITS, signal, readOnly: false },
        (each) => forgetApproval(each, owner),
      );
    }
    if (object.metadata.annotations?.[APPROVE_ANNOTATION] !== undefined) {
      await objects.removeApproval(object, signal);
      return true;
    }
    if (!hasKopfMarks(object.metadata)) return false;
    await objects.removeKopfMarks(object, signal);
    const note = "the object was another operator's, made with kopf: its finalizer and annotations are removed";
    this.#context.recordEvent(object, { type: "Normal", reason: "TakenOver", note });
    return true;
  }

  /** What is waited for comes as an event of somebody else: looked for soon, and less often the longer it takes. */
  async #wait(
    object: DatabaseTable,
    finding: { readonly reason: string; readonly message: string },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const recheckMs = this.#waits.next(object.metadata.uid);
    return await this.#settle(object, { finding: { kind: "Waiting", ...finding }, recheckMs }, signal);
  }

  #tellWhatRan(object: DatabaseTable, statements: readonly Statement[], reason: "Created" | "Altered"): void {
    if (statements.length === 0) return;
    const note = statements.map((statement) => statement.sql).join("; ");
    this.#context.recordEvent(object, { type: "Normal", reason, note });
  }

  async #refuse(
    object: DatabaseTable,
    refusal: {
      readonly reason: "InvalidSpec" | "PlanRefused" | "OwnershipConflict";
      readonly errors: readonly FieldError[];
      /** When something other than the object may have mended it; absent: never. */
      readonly recheckMs?: number;
    },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { reason, errors, recheckMs } = refusal;
    this.#context.recordEvent(object, { type: "Warning", reason, note: errors.map(formatFieldError).join("; ") });
    return await this.#settle(object, { finding: { kind: "Faulty", reason, errors }, recheckMs }, signal);
  }

  /** Writes the status and remembers that this version of the object needs nothing more, for ever or for a while. */
  async #settle(
    object: DatabaseTable,
    { finding, recheckMs }: { readonly finding: Finding; readonly recheckMs?: number | undefined },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const status = nextStatus(object, { ...finding, ...await this.#planOf(object) }, timestamp(this.#context.now()));
    const resourceVersion = await this.#context.objects.writeStatus(object, status, signal);
    const { namespace, name, uid } = object.metadata;
    const recheckAt = recheckMs === undefined ? Infinity : this.#context.now().getTime() + recheckMs;
    this.#settled.set(uid, { key: `${namespace}/${name}`, resourceVersion, recheckAt });
    return recheckMs === undefined ? {} : { requeueAfterMs: recheckMs };
  }

  async #planOf(object: DatabaseTable): Promise<{ readonly plan?: PlanStatus }> {
    const plan = await planStatus(this.#pending.get(object.metadata.uid) ?? []);
    return plan === undefined ? {} : { plan };
  }

  /** Says in status and event why a failure keeps the table from its spec, then lets the controller retry. */
  async #fail(object: DatabaseTable, error: unknown, signal: AbortSignal): Promise<ReconcileResult> {
    const failure: Failure | undefined = failureOf(error);
    if (failure === undefined || signal.aborted) throw error;
    this.#settled.delete(object.metadata.uid);
    this.#context.gate.distrust();
    const plan = await this.#planOf(object);
    const status = nextStatus(object, { kind: "Failing", ...failure, ...plan }, timestamp(this.#context.now()));
    this.#context.recordEvent(object, { type: "Warning", reason: failure.reason, note: failure.message });
    await this.#context.objects.writeStatus(object, status, signal);
    if (failure.retryNow) throw error;
    return { requeueAfterMs: RECHECK_MS };
  }
}

/** How applying ended, and what decided about it. */
interface Ended<K extends ApplyOutcome<Objection>["kind"] = ApplyOutcome<Objection>["kind"]> {
  readonly outcome: Extract<ApplyOutcome<Objection>, { readonly kind: K }>;
  readonly approval: PlanApproval;
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
