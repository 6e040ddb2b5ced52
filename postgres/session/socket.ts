import { Buffer } from "node:buffer";
import * as net from "node:net";
import * as tls from "node:tls";
import type { ConnectionTarget } from "./connection_url.ts";

/** How to reach a server, beside the address itself. */
export interface SocketOptions {
  /** Certificates (PEM) that are trusted instead of the system's. */
  readonly certificateAuthority?: string | undefined;
  /** Asked before anything is said; absent: every address. */
  readonly mayReach?: ((address: string) => boolean) | undefined;
  /** Ends the attempt; its reason is thrown. */
  readonly signal: AbortSignal;
}

/** `SSLRequest` and `CancelRequest` stand where a protocol version would. */
const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;
const KEEP_ALIVE_MS = 30_000;
const ACCEPTED = "S".charCodeAt(0);

/** What a server needs to know to stop what another connection runs. */
export interface BackendKey {
  readonly pid: number;
  readonly secret: number;
}

/** An open socket on which nothing of the startup was said yet, encrypted if the target says so. */
export async function openSocket(target: ConnectionTarget, options: SocketOptions): Promise<net.Socket> {
  options.signal.throwIfAborted();
  const plain = net.connect(
    target.host.startsWith("/")
      ? { path: `${target.host}/.s.PGSQL.${target.port}` }
      : { host: target.host, port: target.port },
  );
  await waitFor(plain, "connect", options.signal);
  if (options.mayReach?.(plain.remoteAddress ?? target.host) === false) {
    plain.destroy();
    throw new Error("its address belongs to the machine of the operator, not to a server");
  }
  plain.setNoDelay(true);
  // Whoever waits for hours notices that the machine is gone, if nobody else tells before; a firewall does not forget a quiet connection.
  plain.setKeepAlive(true, KEEP_ALIVE_MS);
  return target.tls ? await encrypt(plain, target, options) : plain;
}

/** Resolves once the server has said anything; the connection is closed then, and nobody has logged in. */
export async function greetServer(target: ConnectionTarget, options: SocketOptions): Promise<void> {
  const socket = await openSocket(target, options);
  // An encrypted one was answered already. Without TLS the answer is "no", which is one, too.
  if (!target.tls) {
    socket.write(message(SSL_REQUEST));
    await waitFor(socket, "data", options.signal);
  }
  socket.on("error", () => {}).destroy();
}

/** Asks the server to stop what another connection runs; the server never answers. */
export async function cancelBackend(
  target: ConnectionTarget,
  key: BackendKey,
  options: SocketOptions,
): Promise<void> {
  const socket = await openSocket(target, options);
  socket.end(message(CANCEL_REQUEST, key.pid, key.secret));
  await waitFor(socket, "close", options.signal);
}

async function encrypt(plain: net.Socket, target: ConnectionTarget, options: SocketOptions): Promise<net.Socket> {
  plain.write(message(SSL_REQUEST));
  const [answer] = await waitFor(plain, "data", options.signal) as [Buffer];
  // More than one byte before the handshake would be somebody's in between (CVE-2021-23222).
  if (answer[0] !== ACCEPTED || answer.length !== 1) {
    plain.destroy();
    throw new Error("the server does not offer TLS");
  }
  const name = net.isIP(target.host) === 0 ? { servername: target.host } : {};
  const trust = options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority };
  const encrypted = tls.connect({ socket: plain, host: target.host, rejectUnauthorized: true, ...name, ...trust });
  await waitFor(encrypted, "secureConnect", options.signal);
  return encrypted;
}

/** A length and 32-bit numbers, as all messages before the startup are. */
function message(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * numbers.length);
  bytes.writeInt32BE(bytes.length, 0);
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, 4 + 4 * index));
  return bytes;
}

/** The arguments of the next such event; a failure or an abort destroys the socket and throws. */
function waitFor(socket: net.Socket, event: string, signal: AbortSignal): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off(event, onEvent).off("error", onError).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const fail = (reason: unknown) =>
      settle(() => {
        // Whatever else it says on its way out concerns nobody.
        socket.on("error", () => {}).destroy();
        reject(reason);
      });
    const onEvent = (...values: unknown[]) => settle(() => resolve(values));
    const onError = (error: unknown) => fail(error);
    const onClose = () => fail(Object.assign(new Error("closed"), { code: "CONNECTION_CLOSED" }));
    const onAbort = () => fail(signal.reason);
    socket.once("error", onError).once("close", onClose).once(event, onEvent);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
