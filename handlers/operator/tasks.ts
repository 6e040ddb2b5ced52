import type { Leadership } from "../../kube/election/leadership.ts";
import type { ReviewListener } from "../admission/review_listener.ts";
import type { OperatorParts } from "./parts.ts";

/** Work that goes on until its signal is aborted, and then ends soon. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** Work that goes on as long as this process leads. It looks at `leadership.signal`; at the rest only if it writes slowly. */
export type LeaderTask = (leadership: Leadership) => Promise<void>;

/** What the operator does beside answering reviews: whoever has something to do adds a line here. */
export interface OperatorTasks {
  /** By every replica, from the start to the stop: caches, certificates. */
  readonly everywhere: readonly Task[];
  /** By one replica at a time: what writes to the cluster or the database. */
  readonly leading: readonly LeaderTask[];
}

/** The one list of what goes on. */
export function createTasks(parts: OperatorParts, listener: ReviewListener): OperatorTasks {
  const { admission, controls, heartbeat } = parts;
  return {
    everywhere: [
      ...controls.map(({ watch }) => watch),
      (signal) => heartbeat.run(signal),
      (signal) => admission.follow(({ pair }) => listener.replaceCertificate(pair), signal),
    ],
    leading: [
      ...controls.map(({ work }) => work),
    ],
  };
}

/**
 * Runs tasks together: the first that throws ends the others.
 *
 * @param start Gets a signal for all of them.
 * @throws what that one threw, once all have ended.
 */
export async function runTogether(
  start: (signal: AbortSignal) => readonly Promise<void>[],
  stop: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const running = start(AbortSignal.any([stop, failed.signal])).map((each) =>
    each.catch((error) => {
      failed.abort(error);
      throw error;
    })
  );
  const ended = await Promise.allSettled(running);
  const failure = ended.find((each) => each.status === "rejected");
  // The first one in time, not in the list: the others may have failed because of it.
  if (failure !== undefined) throw failed.signal.reason;
}
