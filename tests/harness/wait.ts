import { delay } from "@std/async/delay";

export interface Patience {
  /** Between two questions: longer where each costs whoever is asked. Default: 20. */
  readonly pauseMs?: number;
  /** Default: 60,000. */
  readonly withinMs?: number;
}

/**
 * Waits for a condition, never for a time: asks until the answer is neither `undefined` nor `false`.
 *
 * @param what Named when the condition does not come true in time.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { pauseMs = 20, withinMs = 60_000 }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await delay(pauseMs);
  }
  throw new Error(`did not happen within ${withinMs / 1_000} s: ${what}`);
}
