import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import type { ReconcileResult } from "../../../kube/queue/controller.ts";
import type { Pause } from "../../../kube/queue/deadline.ts";

/** What a reconcile is stopped by, and what it stops. */
interface Clock {
  readonly signal: AbortSignal;
  readonly pause: Pause;
}

/** A reconcile that works for one version of its object. */
interface Running {
  readonly object: DatabaseTable;
  readonly stop: AbortController;
  isEndless: boolean;
  isOutdated: boolean;
}

/**
 * Stops what takes as long as it takes when its object asks for something else: a correction or a deletion would wait for ever behind a
 * build that is not wanted any more. What the build leaves behind, the next plan takes away.
 */
export class EndlessWork {
  /** By `namespace/name`. */
  readonly #running = new Map<string, Running>();

  /** To be told of every version of an object before it is reconciled. */
  see(object: DatabaseTable): void {
    const running = this.#running.get(keyOf(object));
    if (running === undefined || asksTheSame(running.object, object)) return;
    running.isOutdated = true;
    if (running.isEndless) running.stop.abort();
  }

  /** Reconciles this version of the object; that it was stopped is no failure, since the other version is in the queue. */
  async run(
    object: DatabaseTable,
    { signal, pause }: Clock,
    work: (clock: Clock) => Promise<ReconcileResult>,
  ): Promise<ReconcileResult> {
    const running = { object, stop: new AbortController(), isEndless: false, isOutdated: false };
    this.#running.set(keyOf(object), running);
    try {
      return await work({
        signal: AbortSignal.any([signal, running.stop.signal]),
        pause: (longestMs) => stoppable(running, longestMs, pause(longestMs)),
      });
    } catch (error) {
      if (running.stop.signal.aborted && !signal.aborted) return {};
      throw error;
    } finally {
      this.#running.delete(keyOf(object));
    }
  }
}

/** What has a limit ends soon enough by itself, and would lock the table for as long when it is begun anew. */
function stoppable(running: Running, longestMs: number, resume: ReturnType<Pause>): ReturnType<Pause> {
  if (longestMs !== Infinity || resume === undefined) return resume;
  running.isEndless = true;
  if (running.isOutdated) running.stop.abort();
  return () => {
    running.isEndless = false;
    resume();
  };
}

function asksTheSame({ metadata: before }: DatabaseTable, { metadata: after }: DatabaseTable): boolean {
  return before.uid === after.uid && before.generation === after.generation &&
    before.deletionTimestamp === after.deletionTimestamp;
}

function keyOf({ metadata: { namespace, name } }: DatabaseTable): string {
  return `${namespace}/${name}`;
}
