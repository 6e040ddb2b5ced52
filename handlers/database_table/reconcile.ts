import { type DatabaseTable, FINALIZER } from "../../crds/database_table/types.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { type ApplyOutcome, applyTable } from "../../postgres/apply.ts";
import { PostgresError } from "../../postgres/errors.ts";
import { RegistryUntrusted, SuperuserRefused } from "../../postgres/registry_gate.ts";
import type { Table } from "../../postgres/table.ts";
import { schemaFault } from "./admit.ts";
import { conflictError } from "./conflict.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import type { DesiredTable } from "./desired.ts";
import { finalizeTable } from "./finalize.ts";
import { refusalsOf } from "./judge.ts";
import { typeError } from "./live_catalog.ts";
import { type Finding, nextStatus } from "./status.ts";
import { understandSpec } from "./understand.ts";

/** Longest wait for one lock: so long may users of the table wait behind us, a try. */
const LOCK_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 60_000;
/** When something outside must change first, and nobody tells us when it has. */
const RECHECK_MS = 5 * 60_000;
/** Somebody else works on the same name: it will not take long. */
const BUSY_MS = 500;

/** Makes one table what its object says; level-triggered, so it may be called at any time and any number of times. */
export class TableReconciler {
  readonly #context: ReconcileContext;
  /** By uid: the resourceVersion at which nothing was left to do, so that the echo of our own write costs nothing. */
  readonly #settled = new Map<string, Settled>();

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

  /** The object of that key is gone. */
  forget(key: string): void {
    for (const [uid, settled] of this.#settled) if (settled.key === key) this.#settled.delete(uid);
  }

  /** How long nothing needs to be done for this version of the object, in milliseconds. */
  #settledForMs(object: DatabaseTable): number {
    const settled = this.#settled.get(object.metadata.uid);
    if (settled?.resourceVersion !== object.metadata.resourceVersion) return 0;
    return settled.recheckAt - this.#context.now().getTime();
  }

  async #finalize(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) return {};
    return await finalizeTable(object, this.#context, signal);
  }

  async #converge(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const understood = await understandSpec(object.spec);
    const { desired } = understood;
    if (understood.errors.length > 0 || desired?.table === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors: understood.errors }, signal);
    }
    const owner = ownerOf(object, this.#context.clusterId);
    await this.#context.gate.check(signal);
    const outcome = await applyTable(this.#context.database, {
      owner,
      desired: desired.table,
      specHash: await hashOf(desired.table),
      judge: (_changes, situation) => refusalsOf(desired, situation),
    }, { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal });
    return await this.#conclude(object, { outcome, desired }, signal);
  }

  async #conclude(
    object: DatabaseTable,
    result: { readonly outcome: ApplyOutcome<FieldError>; readonly desired: DesiredTable },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { outcome } = result;
    switch (outcome.kind) {
      case "unchanged":
        return await this.#settle(object, { finding: { kind: "Ready", relation: outcome.relation } }, signal);
      case "applied":
        this.#context.recordEvent(object, {
          type: "Normal",
          reason: outcome.created ? "Created" : "Altered",
          note: outcome.statements.map((statement) => statement.sql).join("; "),
        });
        return await this.#settle(object, { finding: { kind: "Ready", relation: outcome.relation } }, signal);
      case "refused":
        // The message says what a person can do in the database, which no event of ours will tell.
        return await this.#refuse(object, {
          reason: "PlanRefused",
          errors: outcome.faults,
          recheckMs: RECHECK_MS,
        }, signal);
      case "conflict":
        // The other side may go away, and no event of ours will tell.
        return await this.#refuse(object, {
          reason: "OwnershipConflict",
          errors: [conflictError(outcome.conflict)],
          recheckMs: RECHECK_MS,
        }, signal);
      case "unsafeTypes": {
        const errors = outcome.unsafe.map((each) => typeError(each, result.desired));
        return await this.#refuse(object, { reason: "InvalidSpec", errors, recheckMs: RECHECK_MS }, signal);
      }
      case "noSchema": {
        const errors = [forbidden("spec.schema", schemaFault(outcome.exists))];
        return await this.#refuse(object, { reason: "InvalidSpec", errors, recheckMs: RECHECK_MS }, signal);
      }
      case "fenced":
        this.#context.logger.info("a newer generation was here first", { generation: object.metadata.generation });
        return {};
      case "busy":
        return { requeueAfterMs: BUSY_MS };
    }
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
    this.#context.recordEvent(object, {
      type: "Warning",
      reason,
      note: errors.map(formatFieldError).join("; "),
    });
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

  /** Says in status and event why an outside failure keeps the table from its spec, then lets the controller retry. */
  async #fail(object: DatabaseTable, error: unknown, signal: AbortSignal): Promise<ReconcileResult> {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
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

interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly databaseReachable: boolean;
  /** Whether the controller's backoff decides; otherwise it is looked at again in some minutes. */
  readonly retryNow: boolean;
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof RegistryUntrusted || error instanceof SuperuserRefused) {
    return { reason: error.name, message: error.message, databaseReachable: true, retryNow: false };
  }
  if (!(error instanceof PostgresError)) return undefined;
  const isConnected = error.sqlstate !== undefined && !/^(08|57P0|28|53300|3D000)/.test(error.sqlstate);
  return {
    reason: isConnected ? "ApplyFailed" : "DatabaseUnreachable",
    message: error.message,
    databaseReachable: isConnected,
    retryNow: error.kind !== "condition",
  };
}

/** RFC 3339 with seconds, as `metav1.Time` wants it. */
function timestamp(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, "Z");
}

async function hashOf(table: Table): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(table)));
  return new Uint8Array(digest).toHex();
}
