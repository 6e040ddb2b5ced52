import { delay } from "@std/async/delay";

/**
 * Asks until the answer is yes, without counting on any time.
 *
 * @throws {Error} naming `what` after 60 s.
 */
export async function until(what: string, ask: () => Promise<boolean>, pauseMs = 20): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!await ask()) {
    if (performance.now() > deadline) throw new Error(`did not happen within 60 s: ${what}`);
    await delay(pauseMs);
  }
}

/** Whether something accepts TCP connections there. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
