import type { Testbed } from "./testbed.ts";

/** An API server that keeps some of its callers waiting. */
export interface HoldingProxy extends AsyncDisposable {
  readonly server: string;
  /** Resolves with the first request that is held back. */
  readonly held: Promise<void>;
  release(): void;
}

/** The API server, except that requests whose path and query match are held back until they are released. */
export function startHoldingProxy(target: Testbed, pattern: RegExp): HoldingProxy {
  const { server, certificateAuthority, clientCertificate, clientKey } = target;
  const client = Deno.createHttpClient({ caCerts: [certificateAuthority], cert: clientCertificate, key: clientKey });
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pattern.test(pathname + search)) {
      held.resolve();
      await released.promise;
    }
    const { method, headers, body } = request;
    return await fetch(`${server}${pathname}${search}`, { client, method, headers, body });
  });
  return {
    server: `http://127.0.0.1:${listener.addr.port}`,
    held: held.promise,
    release: released.resolve,
    async [Symbol.asyncDispose]() {
      released.resolve();
      await listener.shutdown();
      client.close();
    },
  };
}
