import type { DataAnswer } from "./answer.ts";

const KEPT_MS = 10_000;
/** Whoever is told of a fault mends it and asks again at once. */
const VIOLATION_KEPT_MS = 500;
const MAXIMUM_ANSWERS = 1_000;

/**
 * What all who ask one database share: answers for ten seconds (a review comes twice, and again with every retry of a
 * client), violations for half a second, and turns, so that a table has one probe at a time.
 */
export class ProbeMemory {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly #violationKeptMs: number;
  readonly #answers = new Map<string, { readonly answer: DataAnswer; readonly until: number }>();
  readonly #turns = new Map<string, Promise<void>>();

  /** @param violationKeptMs 0 for whoever rests on the answer longer than a user needs to mend it. */
  constructor(now: () => number, violationKeptMs = VIOLATION_KEPT_MS) {
    this.now = now;
    this.#violationKeptMs = violationKeptMs;
  }

  find(key: string): DataAnswer | undefined {
    const known = this.#answers.get(key);
    if (known === undefined || known.until > this.now()) return known?.answer;
    this.#answers.delete(key);
    return undefined;
  }

  keep(key: string, answer: DataAnswer): void {
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MAXIMUM_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    const keptMs = answer.kind === "violated" ? this.#violationKeptMs : KEPT_MS;
    this.#answers.set(key, { answer, until: this.now() + keptMs });
  }

  /** Runs the work when no other one of the same key runs; `undefined` if the signal came first. */
  async inTurn<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const mine = Promise.withResolvers<void>();
    const turn = before.then(() => mine.promise);
    this.#turns.set(key, turn);
    try {
      if (await firstOf(before, signal) === "stopped") return undefined;
      return await work();
    } finally {
      mine.resolve();
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

async function firstOf(before: Promise<void>, signal: AbortSignal): Promise<"turn" | "stopped"> {
  const stopped = Promise.withResolvers<"stopped">();
  const stop = () => stopped.resolve("stopped");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([stopped.promise, before.then(() => "turn" as const)]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
