import { StartError } from "../errors.ts";

/** Where a server is to listen, and which flag moves it. */
export interface Listening {
  readonly flag: string;
  readonly port: number;
}

/**
 * Starts a server.
 *
 * @param serve Gets an `onListen` that says nothing, since Deno would print a line of its own.
 * @throws {StartError} one line that names the flag, if the address cannot be had.
 */
export function listen<T>({ flag, port }: Listening, serve: (onListen: () => void) => T): T {
  try {
    return serve(() => {});
  } catch (error) {
    const why = listenFault(error);
    if (why === undefined) throw error;
    throw new StartError(`Cannot listen on port ${port}: ${why}; choose another with ${flag}`);
  }
}

function listenFault(error: unknown): string | undefined {
  if (error instanceof Deno.errors.AddrInUse) return "it is in use";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine does not have the address";
  return error instanceof Error && /failed to lookup/.test(error.message) ? "the host name is not known" : undefined;
}
