import { StartError } from "../errors.ts";

/** Where a server is to listen, and which flag moves it. */
export interface Listening {
  readonly flag: string;
  readonly port: number;
  /** Absent: every address of this machine, of IPv6 and of IPv4. */
  readonly hostname?: string | undefined;
}

/** How a server is started. */
export interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
  /** Says nothing: Deno would print a line of its own. */
  readonly onListen: () => void;
}

/**
 * Starts a server.
 *
 * @throws {StartError} one line that names the flag, if the address cannot be had.
 */
export function listen<T>({ flag, port, hostname }: Listening, serve: (options: ListenOptions) => T): T {
  const at = (host: string) => serve({ hostname: host, port, onListen: () => {} });
  try {
    return hostname === undefined ? everywhere(at) : at(hostname);
  } catch (error) {
    const why = listenFault(error);
    if (why === undefined) throw error;
    throw new StartError(`Cannot listen on port ${port}: ${why}; choose another with ${flag}`);
  }
}

/** A cluster may speak IPv6 alone; the address of all of IPv6 takes IPv4, too. */
function everywhere<T>(at: (hostname: string) => T): T {
  try {
    return at("::");
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) throw error;
    // A machine without IPv6: each kernel says that in another way.
    return at("0.0.0.0");
  }
}

function listenFault(error: unknown): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) return "it is in use";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine does not have the address";
  return error instanceof Error && /failed to lookup/.test(error.message) ? "the host name is not known" : undefined;
}
