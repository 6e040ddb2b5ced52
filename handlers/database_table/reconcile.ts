import { type DatabaseTable, FINALIZER } from "../../crds/database_table/types.ts";
import { type FieldError, forbidden, formatFieldError } from "../../crds/field_error.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { type ApplyOutcome, applyTable, UnsupportedServer } from "../../postgres/apply.ts";
import { PostgresError } from "../../postgres/session/errors.ts";
import { RegistryUntrusted, SuperuserRefused } from "../../postgres/registry/registry_gate.ts";
import type { Statement } from "../../postgres/statement.ts";
import type { Table } from "../../postgres/table.ts";
import { conflictError } from "./conflict.ts";
import { ownerOf, type ReconcileContext } from "./context.ts";
import { finalizeTable } from "./finalize.ts";
import { wantedTable } from "./judge.ts";
import { refusePlan } from "./policy.ts";
import { schemaFault } from "./schema_fault.ts";
import { type Finding, nextStatus } from "./status.ts";
import { WaitTimes } from "./wait_times.ts";
import { understandSpec } from "./understand.ts";

/** When something outside must change first, and nobody tells us when it has. */
const RECHECK_MS = 5 * 60_000;
/** Somebody else works on the same name: it will not take long. */
const BUSY_MS = 500;

/** Makes one table what its object says; level-triggered, so it may be called at any time and any number of times. */
export class TableReconciler {
  readonly #context: ReconcileContext;
  /** By uid: the resourceVersion at which nothing was left to do, so that the echo of our own write costs nothing. */
  readonly #settled = new Map<string, { readonly key: string; readonly resourceVersion: string }>();
  readonly #waits = new WaitTimes();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const { uid, resourceVersion } = object.metadata;
    if (this.#settled.get(uid)?.resourceVersion === resourceVersion) return {};
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
    for (const [uid, settled] of this.#settled) {
      if (settled.key === key) this.#settled.delete(uid);
    }
  }

  async #finalize(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) return {};
    return await finalizeTable(object, this.#context, signal);
  }

  async #converge(object: DatabaseTable, signal: AbortSignal): Promise<ReconcileResult> {
    const { spec, errors, desired } = await understandSpec(object.spec);
    const wanted = desired === undefined ? undefined : wantedTable(desired);
    if (errors.length > 0 || desired === undefined || wanted === undefined || spec === undefined) {
      return await this.#refuse(object, { reason: "InvalidSpec", errors }, signal);
    }
    await this.#context.gate.check(signal);
    const { lockTimeoutMs, statementTimeoutMs } = desired.changePolicy;
    const outcome = await applyTable<FieldError>(this.#context.database, {
      ...wanted,
      owner: ownerOf(object, this.#context.clusterId),
      specHash: await hashOf(wanted.desired),
      judge: (plan, situation) => refusePlan({ desired, plan, situation }).map(({ error }) => error),
    }, { lockTimeoutMs, statementTimeoutMs, signal });
    return await this.#conclude(object, outcome, signal);
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
        return await this.#refuse(object, { reason: "PlanRefused", errors: outcome.faults }, signal);
      case "conflict":
        // The other side may go away, and no event of ours will tell.
        return {
          ...await this.#refuse(
            object,
            { reason: "OwnershipConflict", errors: [conflictError(outcome.conflict)] },
            signal,
          ),
          requeueAfterMs: RECHECK_MS,
        };
      case "noSchema": {
        const errors = [forbidden("spec.schema", schemaFault(outcome.exists))];
        return { ...await this.#refuse(object, { reason: "InvalidSpec", errors }, signal), requeueAfterMs: RECHECK_MS };
      }
      case "fenced":
        this.#context.logger.info("a newer generation was here first", { generation: object.metadata.generation });
        return {};
      case "busy":
        return { requeueAfterMs: BUSY_MS };
    }
  }

  async #finish(
    object: DatabaseTable,
    outcome: Extract<ApplyOutcome<FieldError>, { readonly kind: "done" }>,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    this.#tellWhatRan(object, outcome.statements, outcome.created ? "Created" : "Altered");
    const { relation, waiting } = outcome;
    if (waiting.length === 0) {
      this.#waits.forget(object.metadata.uid);
      return await this.#settle(object, { kind: "Ready", relation }, signal);
    }
    const tables = waiting.map(({ references }) => `${references.schema}.${references.table}`);
    const message = `waiting for ${[...new Set(tables)].join(", ")}, which a foreign key refers to`;
    await this.#settle(object, { kind: "Waiting", reason: "WaitingForReference", message }, signal);
    // Its coming is an event of another object: looked for soon, and less often the longer it takes.
    this.#settled.delete(object.metadata.uid);
    return { requeueAfterMs: this.#waits.next(object.metadata.uid) };
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
    },
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    this.#context.recordEvent(object, {
      type: "Warning",
      reason: refusal.reason,
      note: refusal.errors.map(formatFieldError).join("; "),
    });
    return await this.#settle(object, { kind: "Faulty", ...refusal }, signal);
  }

  /** Writes the status and remembers that this version of the object needs nothing more. */
  async #settle(object: DatabaseTable, finding: Finding, signal: AbortSignal): Promise<ReconcileResult> {
    const status = nextStatus(object, finding, timestamp(this.#context.now()));
    const resourceVersion = await this.#context.objects.writeStatus(object, status, signal);
    const { namespace, name, uid } = object.metadata;
    this.#settled.set(uid, { key: `${namespace}/${name}`, resourceVersion });
    return {};
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

interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly databaseReachable: boolean;
  /** Whether the controller's backoff decides; otherwise it is looked at again in some minutes. */
  readonly retryNow: boolean;
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof RegistryUntrusted || error instanceof SuperuserRefused || error instanceof UnsupportedServer) {
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
