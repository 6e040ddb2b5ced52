import { LocalError } from "./local_error.ts";

/** Below the range from which the kernel takes the ports of outgoing connections: a port that is kept stays free. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const ATTEMPTS = 200;

const handedOut = new Set<number>();

/** A free TCP port on the loopback address, never the same twice in one process. */
export function findFreePort(): number {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (handedOut.has(port) || !isPortFree(port)) continue;
    handedOut.add(port);
    return port;
  }
  throw new LocalError(`Cannot find a free port on 127.0.0.1 from ${FIRST_PORT} to ${LAST_PORT}`);
}

/** Whether a server can listen on this port of the loopback address now. */
export function isPortFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
