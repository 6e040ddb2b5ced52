import type { OperatorParts } from "./parts.ts";

/** Work that goes on until its signal is aborted, and then ends soon. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** What the operator does beside answering reviews: whoever has something to do adds a line here. */
export interface OperatorTasks {
  /** By every replica, from the start to the stop: caches, certificates. */
  readonly everywhere: readonly Task[];
  /** By one replica at a time: what writes to the cluster or the database. */
  readonly leading: readonly Task[];
}

/** The one list of what goes on. */
export function createTasks({ admission, controls }: OperatorParts): OperatorTasks {
  return {
    everywhere: [
      ...controls.map(({ watch }) => watch),
      (signal) => admission.watchCertificate(signal),
    ],
    leading: [
      ...controls.map(({ work }) => work),
    ],
  };
}
