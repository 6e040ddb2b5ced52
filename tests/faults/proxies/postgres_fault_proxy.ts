import { closeQuietly, connectionsOf, writeAll } from "../../harness/connections.ts";
import type { EffectGate, Passage } from "../crash_switch.ts";
import { backendOf, encodeError, MessageReader, statementOf, type WireMessage } from "./postgres_wire.ts";

/** How a PostgreSQL behind the proxy behaves; changed while it runs. */
export interface PostgresBehaviour {
  /** Every new connection is closed at once, as if nobody listened. */
  refuses?: boolean;
  /** Every new connection gets this SQLSTATE instead of a login. */
  rejectsWith?: string;
  /** Milliseconds before each message of the client is passed on. */
  delayMs?: number;
  /** Nothing passes, and nothing is closed. */
  silent?: boolean;
  /** Hears every statement that comes, before anything becomes of it. */
  onStatement?: (text: string) => void;
  /** The connection is closed instead of passing on the next statement that matches; once. */
  resetsAt?: RegExp | undefined;
  /** The next effect happens, and the connection is closed before its answer; once. */
  losesAnswer?: boolean;
}

/** PostgreSQL as one operator sees it. */
export interface PostgresFaultProxy {
  readonly port: number;
  readonly behaviour: PostgresBehaviour;
  /** Process numbers of all sessions that were opened through it. */
  readonly backends: ReadonlySet<number>;
  /** How many connections were asked for. */
  readonly attempts: number;
  /** Resets all connections. */
  cut(): void;
  close(): void;
}

interface Link {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** How many times the server will have said that it is ready, once it has answered all that was passed on. */
  expectedReady: number;
  ready: number;
  isReadOnly: boolean;
  /** The effect whose answer is waited for, and after how many times ready it is complete. */
  passage: { readonly at: number; readonly passage: Passage } | undefined;
  /** Of the server, about an effect that is not complete. */
  readonly held: Uint8Array[];
  /** Of the server, to be told now. */
  readonly answers: Uint8Array[];
}

interface Proxy {
  readonly targetPort: number;
  readonly gate: EffectGate;
  readonly behaviour: PostgresBehaviour;
  readonly links: Set<Link>;
  readonly backends: Set<number>;
  attempts: number;
}

/**
 * A proxy that understands enough of the protocol to stop at every effect: the COMMIT of each transaction that may write, and each
 * statement with CONCURRENTLY, which is its own transaction.
 */
export function startPostgresFaultProxy(targetPort: number, gate: EffectGate): PostgresFaultProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const proxy: Proxy = { targetPort, gate, behaviour: {}, links: new Set(), backends: new Set(), attempts: 0 };
  const cut = () => proxy.links.forEach((link) => close(proxy, link));
  void acceptAll(listener, proxy);
  return {
    port: listener.addr.port,
    behaviour: proxy.behaviour,
    backends: proxy.backends,
    get attempts() {
      return proxy.attempts;
    },
    cut,
    close() {
      listener.close();
      cut();
    },
  };
}

async function acceptAll(listener: Deno.TcpListener, proxy: Proxy): Promise<void> {
  for await (const client of connectionsOf(listener)) {
    proxy.attempts++;
    void serve(client, proxy);
  }
}

async function serve(client: Deno.TcpConn, proxy: Proxy): Promise<void> {
  const { refuses, rejectsWith } = proxy.behaviour;
  if (refuses === true) return closeQuietly(client);
  if (rejectsWith !== undefined) return await reject(client, rejectsWith);
  const server = await Deno.connect({ hostname: "127.0.0.1", port: proxy.targetPort }).catch(() => undefined);
  if (server === undefined) return closeQuietly(client);
  // Each message is passed on by itself: the second would wait 40 ms for an acknowledgement of the first.
  [client, server].forEach((end) => end.setNoDelay(true));
  const link = newLink(client, server);
  proxy.links.add(link);
  const ended = () => close(proxy, link);
  await Promise.all([pumpClient(link, proxy).then(ended, ended), pumpServer(link, proxy).then(ended, ended)]);
}

function newLink(client: Deno.TcpConn, server: Deno.TcpConn): Link {
  return { client, server, expectedReady: 1, ready: 0, isReadOnly: false, passage: undefined, held: [], answers: [] };
}

async function reject(client: Deno.TcpConn, sqlstate: string): Promise<void> {
  try {
    await client.read(new Uint8Array(4_096));
    await client.write(encodeError(sqlstate, "refused by the proxy"));
  } catch {
    // It went away before it was refused.
  }
  closeQuietly(client);
}

async function pumpClient(link: Link, proxy: Proxy): Promise<void> {
  const reader = new MessageReader("client");
  const buffer = new Uint8Array(65_536);
  for (let count = await link.client.read(buffer); count !== null; count = await link.client.read(buffer)) {
    for (const message of reader.push(buffer.subarray(0, count))) {
      if (!await passOn(message, link, proxy)) return;
    }
  }
}

/** @returns whether the connection goes on. */
async function passOn(message: WireMessage, link: Link, proxy: Proxy): Promise<boolean> {
  const { delayMs, resetsAt } = proxy.behaviour;
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  const text = statementOf(message);
  if (text !== undefined) {
    proxy.behaviour.onStatement?.(text);
    if (resetsAt?.test(text) === true) {
      proxy.behaviour.resetsAt = undefined;
      return false;
    }
    if (text.startsWith("BEGIN")) link.isReadOnly = text.includes("READ ONLY");
    const label = effectOf(text, link);
    if (label !== undefined) {
      const passage = await proxy.gate.before({ label });
      if (!passage.alive) return false;
      link.passage = { at: link.expectedReady + 1, passage };
    }
  }
  if (message.type === "S" || message.type === "Q") link.expectedReady++;
  if (proxy.behaviour.silent === true) return true;
  await writeAll(link.server, message.bytes);
  return true;
}

function effectOf(text: string, link: Link): string | undefined {
  if (/^(CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b/s.test(text)) return text.replaceAll(/\s+/g, " ");
  return text === "COMMIT" && !link.isReadOnly ? "COMMIT" : undefined;
}

async function pumpServer(link: Link, proxy: Proxy): Promise<void> {
  const reader = new MessageReader("server");
  const buffer = new Uint8Array(65_536);
  for (let count = await link.server.read(buffer); count !== null; count = await link.server.read(buffer)) {
    for (const message of reader.push(buffer.subarray(0, count))) {
      const backend = backendOf(message);
      if (backend !== undefined) proxy.backends.add(backend);
      if (message.type === "Z") link.ready++;
      if (!await answer(message, link, proxy)) return;
      if (proxy.behaviour.silent === true) link.answers.length = 0;
      for (const bytes of link.answers.splice(0)) await writeAll(link.client, bytes);
    }
  }
}

/** What belongs to an effect is told only when the effect is complete. @returns whether the client may hear of it. */
async function answer(message: WireMessage, link: Link, { behaviour }: Proxy): Promise<boolean> {
  const { passage } = link;
  const isOfAnEarlierOne = passage !== undefined &&
    (link.ready < passage.at - 1 || (link.ready === passage.at - 1 && message.type === "Z"));
  if (passage === undefined || isOfAnEarlierOne) {
    link.answers.push(message.bytes);
    return true;
  }
  link.held.push(message.bytes);
  if (link.ready < passage.at) return true;
  link.passage = undefined;
  link.answers.push(...link.held.splice(0));
  const isLost = behaviour.losesAnswer === true;
  behaviour.losesAnswer = false;
  return await passage.passage.happened() && !isLost;
}

function close(proxy: Proxy, link: Link): void {
  proxy.links.delete(link);
  closeQuietly(link.client);
  closeQuietly(link.server);
}
