import type { Pod } from "../observe/children.ts";

/** As a Job waits before it makes another Pod for one that failed. */
const FIRST_MS = 10_000;
const LONGEST_MS = 10 * 60_000;
/** A Pod that lived for so long ended for another reason than the ones before. */
const HEALTHY_MS = 10 * 60_000;

/** When a Pod that ended is replaced. */
export interface Replacement {
  /** In milliseconds; 0: now. */
  readonly waitMs: number;
  /** The same moment for people, in whole seconds. */
  readonly at: Date;
  /** How many Pods in a row ended soon after they were made, without this one. */
  readonly before: number;
}

/** Time as a {@linkcode PodReplacements} needs it. */
interface Clocks {
  /** Milliseconds of a clock that never jumps. */
  readonly uptime: () => number;
  readonly now: () => Date;
}

interface EndedPod {
  readonly podUid: string;
  readonly dueAt: number;
  readonly at: Date;
  readonly before: number;
}

/**
 * How long Pods that ended stay before others take their place: one that the kubelet rejects at once would otherwise be made and deleted
 * without end. The first is replaced at once; behind it the waits double, until a Pod lives.
 */
export class PodReplacements {
  /** By `namespace/name` of the Database. */
  readonly #ended = new Map<string, EndedPod>();
  readonly #clocks: Clocks;

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
  }

  /** When this Pod, which has ended, is replaced. */
  next(key: string, pod: Pod): Replacement {
    const now = this.#clocks.uptime();
    const { dueAt, at, before } = this.#of(key, pod);
    return { waitMs: Math.max(0, dueAt - now), at, before };
  }

  /** The object is gone, or asks for another Pod. */
  forget(key: string): void {
    this.#ended.delete(key);
  }

  #of(key: string, pod: Pod): EndedPod {
    const last = this.#ended.get(key);
    if (last?.podUid === pod.metadata.uid) return last;
    const now = this.#clocks.now();
    const livedMs = now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? "");
    const before = last === undefined || livedMs >= HEALTHY_MS ? 0 : last.before + 1;
    const waitMs = before === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(before - 1, 40));
    const ended: EndedPod = {
      podUid: pod.metadata.uid,
      dueAt: this.#clocks.uptime() + waitMs,
      at: new Date(Math.ceil((now.getTime() + waitMs) / 1_000) * 1_000),
      before,
    };
    this.#ended.set(key, ended);
    return ended;
  }
}
