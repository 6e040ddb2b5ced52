import { type DatabaseTable, FINALIZER } from "../../crds/database_table/types.ts";
import type { ReconcileResult } from "../../kube/queue/controller.ts";
import type { Pause } from "../../kube/queue/deadline.ts";
import { KOPF_FINALIZER, OTHER_OPERATOR_ACTIVE } from "../kopf_takeover.ts";
import { type Attempt, type Conclusion, endNews, type Recheck, tell } from "./attempt.ts";
import { Awaited, type News } from "./awaited.ts";
import type { ReconcileContext } from "./context.ts";
import { convergeTable } from "./converge.ts";
import { NO_DRIFT } from "./drift/drift.ts";
import { type Failure, failureOf, STATEMENT_TIMEOUT } from "./failure.ts";
import { finalizeTable, keepsTable } from "./finalize.ts";
import { isSuspended } from "./hands_off.ts";
import { kopfStateOf } from "./spec/origin.ts";
import { PendingPlan } from "./pending_plan.ts";
import { nextStatus } from "./status.ts";
import type { Report } from "./status_report.ts";
import type { DatabaseSweep } from "./drift/sweep.ts";
import { WaitTimes } from "./wait_times.ts";

/** When something outside must change first. */
const LATER_MS = 5 * 60_000;
/** Those that met once must not meet again. */
const BUSY_MS = { least: 40, spread: 160 };

/** Makes one table what its object says; level-triggered, so it may be called at any time and any number of times. */
export class TableReconciler {
  readonly #context: ReconcileContext;
  readonly #sweep: Pick<DatabaseSweep, "isUnchanged">;
  /** By `namespace/name`: the resourceVersion at which nothing was left to do, so that the echo of our own write costs nothing. */
  readonly #settled = new Map<string, Settled>();
  readonly #waits = new WaitTimes();
  /** Of statements that run too long: each try holds a lock for as long. */
  readonly #timeouts = new WaitTimes({ firstMs: LATER_MS, longestMs: 6 * 60 * 60_000 });
  readonly #awaited = new Awaited();
  /** Keys of objects that are to look again, and that nobody was told of yet. */
  readonly #woken = new Set<string>();

  constructor(context: ReconcileContext, sweep: Pick<DatabaseSweep, "isUnchanged">) {
    this.#context = context;
    this.#sweep = sweep;
  }

  /** @throws what the controller must retry: outside failures after they were written to the status, and bugs. */
  async reconcile(object: DatabaseTable, signal: AbortSignal, pause: Pause): Promise<ReconcileResult> {
    const waitMs = this.#settledForMs(object);
    if (waitMs > 0) return this.#withWakes(waitMs === Infinity ? {} : { requeueAfterMs: waitMs });
    const attempt = { object, context: this.#context, sweep: this.#sweep, pending: new PendingPlan(), signal, pause };
    const news = this.#awaited.begin();
    try {
      return this.#withWakes(await this.#carryOut(attempt, news));
    } catch (error) {
      return this.#withWakes(await this.#fail(attempt, error));
    } finally {
      this.#awaited.end(news);
    }
  }

  async #carryOut(attempt: Attempt, news: News): Promise<ReconcileResult> {
    const { object } = attempt;
    const conclusion = await conclude(attempt);
    // Before the status, whose write may fail: behind it nobody would find again what happened.
    if ("happened" in conclusion) this.#wake(conclusion.happened);
    switch (conclusion.kind) {
      case "Told": {
        const resourceVersion = await this.#writeStatus(attempt, conclusion.object, conclusion.report);
        this.#timeouts.forget(keyOf(object));
        const isOver = this.#awaited.wait(keyOf(object), conclusion.waitsFor ?? [], news);
        const recheckMs = isOver ? 0 : this.#recheckMs(object, conclusion.recheck);
        return this.#rest(object, resourceVersion, recheckMs);
      }
      case "Postponed":
        await this.#writeStatus(attempt, object, conclusion.report);
        // Remembered as settled it would not be looked at when it is brought back.
        this.#settled.delete(keyOf(object));
        return { isPostponed: true };
      case "Unchanged":
        return this.#rest(object, object.metadata.resourceVersion);
      case "Written":
        return {};
      case "Busy":
        return { requeueAfterMs: this.#busyMs() };
    }
  }

  /** Those that waited for what happened look at it, whatever is remembered of them. */
  #wake(happened: string): void {
    for (const key of this.#awaited.happened(happened)) {
      this.#settled.delete(key);
      this.#woken.add(key);
    }
  }

  /** With all that were woken: also those of a reconcile that threw, which can tell nobody. */
  #withWakes(result: ReconcileResult): ReconcileResult {
    if (this.#woken.size === 0) return result;
    const wakes = [...this.#woken];
    this.#woken.clear();
    return { ...result, wakes };
  }

  #busyMs(): number {
    return Math.round(BUSY_MS.least + this.#context.timing.random() * BUSY_MS.spread);
  }

  /** The object of that key is gone. */
  forget(key: string): void {
    this.#awaited.forget(key);
    this.#settled.delete(key);
    this.#waits.forget(key);
    this.#timeouts.forget(key);
  }

  /** The table of that object is not what it was: the next reconcile looks at it whatever is remembered. */
  suspect(object: DatabaseTable): void {
    this.#settled.delete(keyOf(object));
  }

  /** How long nothing needs to be done for this version of the object, in milliseconds. */
  #settledForMs(object: DatabaseTable): number {
    const settled = this.#settled.get(keyOf(object));
    const { uid, resourceVersion } = object.metadata;
    if (settled?.uid !== uid || settled.resourceVersion !== resourceVersion) return 0;
    return settled.recheckAt - this.#context.timing.uptime();
  }

  async #writeStatus(
    { pending, signal }: Attempt,
    object: DatabaseTable,
    report: Omit<Report, "plan">,
  ): Promise<string> {
    const plan = await pending.status();
    const status = nextStatus(object, { ...report, plan }, timestamp(this.#context.now()));
    return await this.#context.objects.writeStatus(object, status, signal);
  }

  #recheckMs(object: DatabaseTable, recheck: Recheck | undefined): number {
    const key = keyOf(object);
    if (recheck === "Soon") return this.#waits.next(key, object.metadata.uid);
    this.#waits.forget(key);
    return recheck === "Later" ? LATER_MS : Infinity;
  }

  #rest(object: DatabaseTable, resourceVersion: string, recheckMs = Infinity): ReconcileResult {
    const recheckAt = this.#context.timing.uptime() + recheckMs;
    this.#settled.set(keyOf(object), { uid: object.metadata.uid, resourceVersion, recheckAt });
    return recheckMs === Infinity ? {} : { requeueAfterMs: recheckMs };
  }

  /** Says in status and event why a failure keeps the table from its spec, then lets the controller retry. */
  async #fail(attempt: Attempt, error: unknown): Promise<ReconcileResult> {
    const { object, signal } = attempt;
    const failure: Failure | undefined = failureOf(error);
    if (failure === undefined || signal.aborted) throw error;
    this.#settled.delete(keyOf(object));
    this.#context.gate.distrust();
    this.#context.recordEvent(object, { type: "Warning", reason: failure.reason, note: failure.message });
    const resourceVersion = await this.#writeStatus(attempt, object, { finding: { kind: "Failing", ...failure } });
    if (failure.retryNow) throw error;
    // The echo of this status is no reason to build an index for a second time.
    return this.#rest(object, resourceVersion, this.#retryMs(object, failure));
  }

  #retryMs(object: DatabaseTable, { reason }: Failure): number {
    const { uid, generation } = object.metadata;
    return reason === STATEMENT_TIMEOUT ? this.#timeouts.next(keyOf(object), `${uid} ${generation}`) : LATER_MS;
  }
}

/** Who decides about the object: its deletion, its own word to keep off, another operator, its spec. */
async function conclude(attempt: Attempt): Promise<Conclusion> {
  const { object, context, signal } = attempt;
  if (object.metadata.deletionTimestamp !== undefined) return await finalize(attempt);
  if (isSuspended(object)) return tell(object, { finding: { kind: "Suspended" }, drift: NO_DRIFT });
  if (kopfStateOf(object) === "Active") return handOff(attempt);
  if (!(object.metadata.finalizers ?? []).includes(FINALIZER)) {
    // Nothing may exist that the finalizer does not guard.
    await context.objects.addFinalizer(object, signal);
    return { kind: "Written" };
  }
  return await convergeTable(attempt);
}

async function finalize(attempt: Attempt): Promise<Conclusion> {
  const { object, context, signal } = attempt;
  const held = object.metadata.finalizers ?? [];
  // One that takes no new finalizer is finalized under the one that kopf left.
  if (!held.includes(FINALIZER) && !held.includes(KOPF_FINALIZER)) return { kind: "Written" };
  if (kopfStateOf(object) === "Active" && keepsTable(object) === undefined) return handOff(attempt);
  const outcome = await finalizeTable(object, context, signal);
  switch (outcome.kind) {
    case "released":
      return { kind: "Written", happened: endNews(object.metadata) };
    case "busy":
      return { kind: "Busy" };
    case "needed": {
      const message = `the table is kept until these are gone: ${outcome.by.join("; ")}`;
      const report = { finding: { kind: "Waiting", reason: "WaitingForDependents", message } } as const;
      return { ...tell(object, report, "Soon"), waitsFor: outcome.owners.map(endNews) };
    }
  }
}

/** Another operator is running: whatever we did, it might undo. The removal of its marks comes as an event. */
function handOff({ object, context }: Attempt): Conclusion {
  const { reason, message } = OTHER_OPERATOR_ACTIVE;
  context.recordEvent(object, { type: "Warning", reason, note: message });
  return tell(object, { finding: { kind: "Stalled", reason, message }, drift: NO_DRIFT });
}

interface Settled {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Milliseconds of the clock that never jumps; Infinity if only a change of the object can bring new work. */
  readonly recheckAt: number;
}

function keyOf({ metadata: { namespace, name } }: DatabaseTable): string {
  return `${namespace}/${name}`;
}

/** RFC 3339 with seconds, as `metav1.Time` wants it. */
function timestamp(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, "Z");
}
