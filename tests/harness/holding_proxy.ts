import { type ApiProxy, startApiProxy } from "./api_proxy.ts";
import type { Testbed } from "./testbed.ts";

/** An API server that keeps some of its callers waiting. */
export interface HoldingProxy extends ApiProxy {
  /** Resolves with the first request that is held back. */
  readonly held: Promise<void>;
  release(): void;
}

/** The API server, except that requests whose path and query match are held back until they are released. */
export function startHoldingProxy(testbed: Testbed, pattern: RegExp): HoldingProxy {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const proxy = startApiProxy(testbed, async ({ path, search }) => {
    if (!pattern.test(path + search)) return undefined;
    held.resolve();
    await released.promise;
    return undefined;
  });
  return {
    server: proxy.server,
    held: held.promise,
    release: released.resolve,
    async [Symbol.asyncDispose]() {
      released.resolve();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
