import { AsyncLocalStorage } from "node:async_hooks";

/** What each line says that is written while some work runs, however deep in it: whose work it is. */
const storage = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();

/** Runs `work`; each log entry written by it, and by what it calls, carries these properties too. */
export function withLogContext<T>(properties: Readonly<Record<string, unknown>>, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...properties }, work);
}

/** Runs `work` for nobody in particular: what it starts goes on for others too, after whoever happened to be the first. */
export function withoutLogContext<T>(work: () => T): T {
  return storage.run({}, work);
}

/** The properties of the work that runs now; empty outside of any. */
export function logContext(): Readonly<Record<string, unknown>> {
  return storage.getStore() ?? {};
}
