import { createCertificateAuthority, issueCertificate, type KeyPair } from "../../../kube/webhook/certificate.ts";
import { requestBody, smallChunks } from "../../../kube/client/small_chunks.ts";
import { type FaultProxy, startFaultProxy } from "../../harness/tcp_fault_proxy.ts";
import type { Testbed } from "../../harness/testbed.ts";
import { type EffectGate, UNCOUNTED } from "../crash_switch.ts";
import { breakLines, type LineFate } from "./watch_lines.ts";

/** A request of the operator. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  /** Of a write; else empty. */
  readonly body: string;
}

/** A write, and how the API server answered. */
export interface AnsweredWrite extends ApiRequest {
  /** HTTP status: 201 has made an object. */
  readonly status: number;
}

/** How an API server behind the proxy behaves; changed while it runs. */
export interface ApiBehaviour {
  /** An answer in place of the API server's. */
  intercept?: (request: ApiRequest) => Promise<Response | undefined> | Response | undefined;
  /** What becomes of each line of a watch. */
  fateOfLine?: (line: string) => LineFate;
  /** Sees each write before the API server does. */
  onWrite?: (request: ApiRequest) => Promise<void>;
}

/** The API server as one operator sees it. */
export interface ApiFaultProxy extends AsyncDisposable {
  /** Whoever comes is the testbed's administrator. HTTP/2 like the API server. */
  readonly port: number;
  /** PEM; of this proxy alone. */
  readonly certificateAuthority: string;
  readonly behaviour: ApiBehaviour;
  /** Every write of the operator that the API server got, in the order of its answers; no dry runs. */
  readonly writes: readonly AnsweredWrite[];
  /** Cuts or freezes the connections themselves. */
  readonly network: FaultProxy;
  /** How often each path was listed, without a watch. */
  readonly lists: ReadonlyMap<string, number>;
}

/** Nobody is promised that these arrive, or they change nothing. */
const NO_EFFECT = /\/(events|leases)(\/|$)|accessreviews$/;

/** A proxy that can stop at every write, and answer in place of the API server. */
export async function startApiFaultProxy(testbed: Testbed, gate: EffectGate): Promise<ApiFaultProxy> {
  const { server, certificateAuthority, clientCertificate, clientKey } = testbed;
  const client = Deno.createHttpClient({ caCerts: [certificateAuthority], cert: clientCertificate, key: clientKey });
  const ended = new AbortController();
  const behaviour: ApiBehaviour = {};
  const writes: AnsweredWrite[] = [];
  const lists = new Map<string, number>();
  const forward = async (incoming: Request, request: ApiRequest): Promise<Response> => {
    const { pathname, search } = new URL(incoming.url);
    const init = { method: request.method, headers: incoming.headers, client, signal: ended.signal };
    const body = request.method === "GET" ? {} : { body: requestBody(request.body) };
    return await fetch(`${server}${pathname}${search}`, { ...init, ...body });
  };
  const pass = async (incoming: Request): Promise<Response> => {
    const request = await readRequest(incoming);
    const answer = await behaviour.intercept?.(request);
    if (answer !== undefined) return answer;
    if (request.isWatch) return watchResponse(await forward(incoming, request), behaviour);
    if (request.method === "GET") {
      lists.set(request.path, (lists.get(request.path) ?? 0) + 1);
      return await forward(incoming, request);
    }
    await behaviour.onWrite?.(request);
    const passage = isEffect(incoming) ? await gate.before({ label: labelOf(request) }) : UNCOUNTED;
    if (!passage.alive) return gone();
    const response = await forward(incoming, request);
    const text = await response.text();
    if (!isDryRun(incoming)) writes.push({ ...request, status: response.status });
    return await passage.happened() ? new Response(smallChunks(new TextEncoder().encode(text)), response) : gone();
  };
  const { authority, pair: { certificate: cert, privateKey: key } } = await issue();
  const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} };
  const listener = Deno.serve(options, (incoming) => pass(incoming).catch(gone));
  const network = startFaultProxy(listener.addr.port);
  return {
    port: network.port,
    certificateAuthority: authority,
    behaviour,
    writes,
    lists,
    network,
    async [Symbol.asyncDispose]() {
      ended.abort();
      network.close();
      await listener.shutdown();
      client.close();
    },
  };
}

async function issue(): Promise<{ readonly authority: string; readonly pair: KeyPair }> {
  const common = { validDays: 1, now: new Date() };
  const authority = await createCertificateAuthority({ ...common, commonName: "fault proxy" });
  const request = { ...common, commonName: "127.0.0.1", ipAddresses: ["127.0.0.1"], usage: "server" } as const;
  return { authority: authority.certificate, pair: await issueCertificate(authority, request) };
}

async function readRequest(incoming: Request): Promise<ApiRequest> {
  const { pathname, searchParams } = new URL(incoming.url);
  const body = incoming.method === "GET" ? "" : await incoming.text();
  return { method: incoming.method, path: pathname, isWatch: searchParams.get("watch") !== null, body };
}

/** Asked of the fates when a line passes, not when the watch begins. */
function watchResponse(response: Response, behaviour: ApiBehaviour): Response {
  if (response.body === null) return response;
  return new Response(breakLines(response.body, (line) => behaviour.fateOfLine?.(line) ?? "pass"), response);
}

function isEffect(incoming: Request): boolean {
  return !NO_EFFECT.test(new URL(incoming.url).pathname) && !isDryRun(incoming);
}

function isDryRun(incoming: Request): boolean {
  return new URL(incoming.url).searchParams.get("dryRun") !== null;
}

function labelOf({ method, path }: ApiRequest): string {
  return `${method} ${path.replace(/^.*\/namespaces\/[^/]+\//, "").replace(/^\/apis?\//, "")}`;
}

/** Whom it would be for is dead, or the API server is. */
function gone(): Response {
  return new Response(undefined, { status: 502 });
}
