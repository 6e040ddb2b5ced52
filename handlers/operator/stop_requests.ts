/** What a request to stop leads to. */
export interface StopRequests {
  /** The first one: stop in order. */
  readonly onStop: () => void;
  /** A later one: end at once. */
  readonly onForce: () => void;
}

/** A Ctrl-C reaches a process twice under `deno task`: from the terminal, and passed on by it. */
const SAME_REQUEST_MS = 1_000;

/**
 * Answers what to call on each signal that asks to stop; what follows within a second is the same request.
 *
 * @param now Milliseconds from any beginning.
 */
export function countStopRequests({ onStop, onForce }: StopRequests, now: () => number): () => void {
  let firstAt: number | undefined;
  return function request() {
    if (firstAt === undefined) {
      firstAt = now();
      onStop();
    } else if (now() - firstAt > SAME_REQUEST_MS) {
      onForce();
    }
  };
}
