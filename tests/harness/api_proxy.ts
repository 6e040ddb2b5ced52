import type { Testbed } from "./testbed.ts";

/** The API server behind a proxy that may answer for it. */
export interface ApiProxy extends AsyncDisposable {
  /** `http://…`: whoever comes is the testbed's administrator. */
  readonly server: string;
}

/** An answer in place of the API server's; `undefined` to pass the request on, perhaps after a while. */
export type Intercept = (request: InterceptedRequest) => Promise<Response | undefined>;

interface InterceptedRequest {
  readonly method: string;
  readonly path: string;
  /** With its question mark; empty if there is none. */
  readonly search: string;
}

export function startApiProxy(testbed: Testbed, intercept: Intercept): ApiProxy {
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const client = Deno.createHttpClient({ caCerts: [certificateAuthority], cert: clientCertificate, key: clientKey });
  const ended = new AbortController();
  const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers, body } = request;
    const answer = await intercept({ method, path: pathname, search });
    if (answer !== undefined) {
      await body?.cancel();
      return answer;
    }
    const { signal } = ended;
    return await fetch(`${server}${pathname}${search}`, { client, method, headers, body, signal })
      .catch(() => new Response(undefined, { status: 502 }));
  });
  return {
    server: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await listener.shutdown();
      client.close();
    },
  };
}

/** What the API server says when it refuses something. */
export function refusal(code: number, message: string): Response {
  return Response.json({ kind: "Status", status: "Failure", code, reason: "Refused", message }, { status: code });
}
