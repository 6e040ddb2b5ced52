import { closeQuietly, connectionsOf, writeAll } from "../../harness/connections.ts";

/** What becomes of one review, on a connection that has carried some: the handshake of a new one is as large as a review. */
export interface Strike {
  /** Which one it is of those that come from now on, one behind the other; an apply is two, first that of the mutating webhook. */
  readonly review: number;
  /** `request`: the operator has not read it; `answer`: it has answered, and the API server has not heard it. */
  readonly at: "request" | "answer";
  /**
   * Its connection is closed when this resolves.
   *
   * @param port Of the operator that was asked.
   * @param forward Lets it go on; nothing comes back.
   */
  readonly hit: (port: number, forward: () => Promise<void>) => Promise<void>;
}

/** The one address of all operators for the API server, as a Service would be. Whoever does not listen is passed over. */
export interface ReviewProxy {
  readonly port: number;
  /** Of whom the next connection asks first. */
  preferred: number | undefined;
  /** Once. */
  strike: Strike | undefined;
  /** Closes all connections; the next review comes on a new one. */
  cut(): void;
  close(): void;
}

interface Link {
  readonly api: Deno.TcpConn;
  readonly operator: Deno.TcpConn;
  readonly port: number;
  /** Whether a review was sent that is not answered: what else is as large belongs to it, since Go cuts it into records. */
  isAsked: boolean;
  /** Of the review that is answered now. */
  strike: Strike | undefined;
}

interface State {
  preferred: number | undefined;
  strike: Strike | undefined;
  reviews: number;
  readonly links: Set<Link>;
}

/** TLS passes through, so reviews and answers are told by their sizes: frames of HTTP/2 that are neither are smaller. */
const LEAST_REVIEW = 600;
const LEAST_ANSWER = 100;

/** @param ports Of the operators that may listen; asked at every connection. */
export function startReviewProxy(ports: () => readonly number[]): ReviewProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const state: State = { preferred: undefined, strike: undefined, reviews: 0, links: new Set() };
  const cut = () => state.links.forEach((link) => closeLink(link, state));
  void acceptAll(listener, ports, state);
  return {
    port: listener.addr.port,
    get preferred() {
      return state.preferred;
    },
    set preferred(port) {
      state.preferred = port;
    },
    get strike() {
      return state.strike;
    },
    set strike(strike) {
      state.reviews = 0;
      state.strike = strike;
    },
    cut,
    close() {
      listener.close();
      cut();
    },
  };
}

async function acceptAll(listener: Deno.TcpListener, ports: () => readonly number[], state: State): Promise<void> {
  for await (const api of connectionsOf(listener)) void serve(api, ports(), state);
}

async function serve(api: Deno.TcpConn, ports: readonly number[], state: State): Promise<void> {
  const order = ports.toSorted((left, right) => Number(right === state.preferred) - Number(left === state.preferred));
  for (const port of order) {
    const operator = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    if (operator === undefined) continue;
    // What comes in two pieces would wait 40 ms for an acknowledgement, which neither end asked for.
    [api, operator].forEach((end) => end.setNoDelay(true));
    const link: Link = { api, operator, port, isAsked: false, strike: undefined };
    state.links.add(link);
    const ended = () => closeLink(link, state);
    await Promise.all([pumpReviews(link, state).then(ended, ended), pumpAnswers(link).then(ended, ended)]);
    return;
  }
  closeQuietly(api);
}

async function pumpReviews(link: Link, state: State): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await link.api.read(buffer); count !== null; count = await link.api.read(buffer)) {
    const chunk = buffer.slice(0, count);
    const strike = strikeOf(chunk, link, state);
    if (strike?.at === "request") return await strike.hit(link.port, () => passOn(link, state, chunk));
    link.strike = strike ?? link.strike;
    await writeAll(link.operator, chunk);
  }
}

/** With the rest of the review, which may still be on its way. */
async function passOn(link: Link, state: State, chunk: Uint8Array): Promise<void> {
  await writeAll(link.operator, chunk);
  pumpReviews(link, state).catch(() => {});
}

/** What is to happen to the review that this is, if it is one. */
function strikeOf({ length }: Uint8Array, link: Link, state: State): Strike | undefined {
  if (link.isAsked || length < LEAST_REVIEW) return undefined;
  link.isAsked = true;
  const { strike } = state;
  if (strike === undefined || ++state.reviews !== strike.review) return undefined;
  state.strike = undefined;
  return strike;
}

async function pumpAnswers(link: Link): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await link.operator.read(buffer); count !== null; count = await link.operator.read(buffer)) {
    if (count >= LEAST_ANSWER) {
      if (link.strike !== undefined) return await link.strike.hit(link.port, () => Promise.resolve());
      link.isAsked = false;
    }
    await writeAll(link.api, buffer.subarray(0, count));
  }
}

function closeLink(link: Link, state: State): void {
  state.links.delete(link);
  closeQuietly(link.api);
  closeQuietly(link.operator);
}
