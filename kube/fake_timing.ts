import * as fakeTimers from "@sinonjs/fake-timers";
import { createTiming, type Timing } from "./timing.ts";

/** The part of a `@sinonjs/fake-timers` clock that is used here; the package ships no types. */
interface FakeClock {
  readonly now: number;
  setTimeout(callback: () => void, ms: number): number;
  clearTimeout(handle: number): void;
  tickAsync(ms: number): Promise<number>;
  countTimers(): number;
}

/** A {@linkcode Timing} that stands still until it is told to go on. For tests only. */
export interface FakeTiming extends Timing {
  /** Lets `ms` pass, running each timer that falls due and what follows from it. */
  tick(ms: number): Promise<void>;
  /** Moves the wall clock alone, as a time server or an administrator does. */
  jump(ms: number): void;
  /** How many timers are pending: 0 shows that nothing leaks. */
  pending(): number;
}

const { createClock } = fakeTimers as unknown as { createClock(now: number): FakeClock };

/** @param random What `random()` answers; 0.5 makes every jitter neutral. */
export function createFakeTiming(random: () => number = () => 0.5): FakeTiming {
  const clock = createClock(Date.parse("2026-01-01T00:00:00Z"));
  const startedAt = clock.now;
  let movedMs = 0;
  const timing = createTiming<number>({
    now: () => clock.now + movedMs,
    uptime: () => clock.now - startedAt,
    random,
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  });
  return {
    ...timing,
    tick: async (ms) => {
      await clock.tickAsync(ms);
    },
    jump: (ms) => void (movedMs += ms),
    pending: () => clock.countTimers(),
  };
}
