import { delay } from "@std/async/delay";

/**
 * Waits for a condition, never for a time: asks until the answer is not `undefined`.
 *
 * @param what Named when the condition does not come true within 30 s.
 */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(20);
  }
  throw new Error(`did not happen within 30 s: ${what}`);
}
