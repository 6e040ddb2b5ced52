/** Time and chance, as arguments: a test can then own both. */
export interface Timing {
  /** Milliseconds since 1970: for moments that somebody outside reads or has written. A wall clock is moved, forward and back. */
  now(): number;
  /** Milliseconds of a clock that never jumps: for everything that lasts. */
  uptime(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as that is aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`, unless the returned function is called before. */
  setTimer(callback: () => void, ms: number): () => void;
}

/** A longer timer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a {@linkcode Timing} is made of: the global object, or a faked clock. */
export interface TimerSource<Handle> {
  now(): number;
  uptime(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): Handle;
  clearTimeout(handle: Handle): void;
}

/** Makes delays, and timers that can be called off, from a clock. */
export function createTiming<Handle>(source: TimerSource<Handle>): Timing {
  const setTimer = (callback: () => void, ms: number): () => void => {
    const handle = source.setTimeout(callback, ms);
    return () => source.clearTimeout(handle);
  };
  return {
    now: () => source.now(),
    uptime: () => source.uptime(),
    random: () => source.random(),
    setTimer,
    delay: (ms, signal) => delay(setTimer, ms, signal),
  };
}

/** The clock and the randomness of the machine. */
export const systemTiming: Timing = createTiming<ReturnType<typeof setTimeout>>({
  now: () => Date.now(),
  uptime: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle),
});

/** `delay()` that ends early without a throw: whoever waits looks at the signal anyway. */
export async function pause(timing: Pick<Timing, "delay">, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await timing.delay(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Resolves once the signal is aborted, at once if it is already. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function delay(setTimer: Timing["setTimer"], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** What the work brings; rejects with the signal's reason if that is aborted before. The work itself goes on. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const onAbort = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
