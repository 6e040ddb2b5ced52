import type { Config } from "../config.ts";

const TIMEOUT_MS = 5_000;
/** Of both kinds, and each takes calls to the IPv4 loopback. */
const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];

/**
 * `tablewright health`: asks a running operator on this machine whether it is alive, for container engines that start a program as
 * health check. Takes the same flags as the operator to find its port.
 *
 * @returns an exit code: 0 if it is alive.
 */
export async function askHealth({ httpHost, httpPort }: Pick<Config, "httpHost" | "httpPort">): Promise<number> {
  const host = httpHost === undefined || EVERYWHERE.includes(httpHost) ? "127.0.0.1" : httpHost;
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${httpPort}/healthz`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? 0 : 1;
  } catch {
    // Nobody listens, or nobody answers: the exit code says it all to whoever asks.
    return 1;
  }
}
