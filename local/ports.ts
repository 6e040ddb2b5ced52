import { LocalError } from "./local_error.ts";

/** Below the range from which the kernel takes the ports of outgoing connections: a port that is kept stays free. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const BLOCK = 50;
const ATTEMPTS = 1_000;

/**
 * Ports come in blocks, and whoever listens on the first port of one has the others: two processes that look at the same time would
 * both find a port free, and the one that listens there later would fail. Held until the process ends.
 */
const claims: Deno.Listener[] = [];
let unused: number[] = [];

/** A free TCP port on the loopback address, never the same for two processes that ask here, nor twice for one. */
export function findFreePort(): number {
  for (;;) {
    const port = unused.shift();
    if (port === undefined) unused = claimBlock();
    else if (isPortFree(port)) return port;
  }
}

function claimBlock(): number[] {
  const blocks = (LAST_PORT - FIRST_PORT + 1) / BLOCK;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = FIRST_PORT + BLOCK * Math.floor(Math.random() * blocks);
    const claim = listenAt(first);
    if (claim === undefined) continue;
    // A process ends although it holds it.
    claim.unref();
    claims.push(claim);
    return Array.from({ length: BLOCK - 1 }, (_, index) => first + 1 + index);
  }
  throw new LocalError(`Cannot find free ports on 127.0.0.1 from ${FIRST_PORT} to ${LAST_PORT}`);
}

/** Whether a server can listen on this port of the loopback address now. */
export function isPortFree(port: number): boolean {
  const listener = listenAt(port);
  listener?.close();
  return listener !== undefined;
}

function listenAt(port: number): Deno.TcpListener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
