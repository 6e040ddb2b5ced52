import { type DatabaseTable, FINALIZER } from "../../crds/database_table/types.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { type ApplyOutcome, applyTable } from "../../postgres/apply/apply.ts";
import type { Statement } from "../../postgres/statement/statement.ts";
import type { Table } from "../../postgres/table.ts";
import { conflictError } from "./conflict.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import { type Failure, failureOf } from "./failure.ts";
import { finalizeTable } from "./finalize.ts";
import { wantedTable } from "./judge.ts";
import { originOf } from "./origin.ts";
import { refusePlan } from "./policy.ts";
import type { DesiredTable } from "./desired.ts";
import { type ResolvedTable, resolveTable } from "./resolve.ts";
import { schemaFault } from "./schema_fault.ts";
import { type Finding, nextStatus } from "./status.ts";
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

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const waitMs = this.#settledForMs(object);
    if (waitMs > 0) return waitMs === Infinity ? {} : { requeueAfterMs: waitMs };
    try {
      if (object.metadata.deletionTimestamp !== undefined) return await this.#finalize(object, signal);
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
    return Math.round(BUSY_MS.least + this.#context.random() * BUSY_MS.spread);
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
    if (understood.errors.length > 0 || understood.desired === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors: understood.errors }, signal);
    }
    await this.#context.gate.check(signal);
    const { desired, faults } = await this.#resolve(understood.desired, signal);
    const wanted = wantedTable(desired);
    if (faults.length > 0 || wanted === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors: faults, recheckMs: RECHECK_MS }, signal);
    }
    const { lockTimeoutMs, statementTimeoutMs } = desired.changePolicy;
    const outcome = await applyTable<FieldError>(this.#context.database, {
      ...wanted,
      owner: ownerOf(object, this.#context.clusterId),
      adoption: { policy: desired.adoptionPolicy, renames: desired.renames },
      specHash: await hashOf(wanted.desired),
      wasMade: object.status?.observed?.oid !== undefined,
      isLiving: async () => (await this.#context.objects.read(object, signal))?.metadata.uid === object.metadata.uid,
      verify: (transaction, seen) => verifyPlan(transaction, desired, seen),
      judge: (plan, situation) => refusePlan({ desired, plan, situation }).map(({ error }) => error),
    }, { lockTimeoutMs, statementTimeoutMs, signal });
    return await this.#conclude(object, outcome, signal);
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

  async #conclude(
    object: DatabaseTable,
    outcome: ApplyOutcome<FieldError>,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    switch (outcome.kind) {
      case "done":
        return await this.#finish(object, outcome, signal);
      case "refused":
        this.#tellWhatRan(object, outcome.statements, "Altered");
        // The message says what a person can do in the database, which no event of ours will tell.
        return await this.#refuse(
          object,
          { reason: "PlanRefused", errors: outcome.faults, recheckMs: RECHECK_MS },
          signal,
        );
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
        return { requeueAfterMs: this.#busyMs() };
    }
  }

  async #finish(
    object: DatabaseTable,
    outcome: Extract<ApplyOutcome<FieldError>, { readonly kind: "done" }>,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { relation, waiting } = outcome;
    if (outcome.adopted) {
      const note = `table ${relation.schema}.${relation.name} was there and is taken over`;
      this.#context.recordEvent(object, { type: "Normal", reason: "Adopted", note });
    }
    this.#tellWhatRan(object, outcome.statements, outcome.created ? "Created" : "Altered");
    if (waiting.length === 0) {
      this.#waits.forget(object.metadata.uid);
      return await this.#settle(object, { finding: { kind: "Ready", relation } }, signal);
    }
    const tables = waiting.map(({ references }) => `${references.schema}.${references.table}`);
    const message = `waiting for ${[...new Set(tables)].join(", ")}, which a foreign key refers to`;
    return await this.#wait(object, { reason: "WaitingForReference", message }, signal);
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
    const status = nextStatus(object, finding, timestamp(this.#context.now()));
    const resourceVersion = await this.#context.objects.writeStatus(object, status, signal);
    const { namespace, name, uid } = object.metadata;
    const recheckAt = recheckMs === undefined ? Infinity : this.#context.now().getTime() + recheckMs;
    this.#settled.set(uid, { key: `${namespace}/${name}`, resourceVersion, recheckAt });
    return recheckMs === undefined ? {} : { requeueAfterMs: recheckMs };
  }

  /** Says in status and event why a failure keeps the table from its spec, then lets the controller retry. */
  async #fail(object: DatabaseTable, error: unknown, signal: AbortSignal): Promise<ReconcileResult> {
    const failure: Failure | undefined = failureOf(error);
    if (failure === undefined || signal.aborted) throw error;
    this.#settled.delete(object.metadata.uid);
    this.#context.gate.distrust();
    const status = nextStatus(object, { kind: "Failing", ...failure }, timestamp(this.#context.now()));
    this.#context.recordEvent(object, { type: "Warning", reason: failure.reason, note: failure.message });
    await this.#context.objects.writeStatus(object, status, signal);
    if (failure.retryNow) throw error;
    return { requeueAfterMs: RECHECK_MS };
  }
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

async function hashOf(table: Table): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(table)));
  return new Uint8Array(digest).toHex();
}
