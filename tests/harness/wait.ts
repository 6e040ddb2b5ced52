import { delay } from "@std/async/delay";

/**
 * Waits for a condition, never for a time: asks until the answer is neither `undefined` nor `false`.
 *
 * @param what Named when the condition does not come true within 60 s.
 * @param pauseMs Between two questions: longer where each costs whoever is asked.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  pauseMs = 20,
): Promise<T> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await delay(pauseMs);
  }
  throw new Error(`did not happen within 60 s: ${what}`);
}
