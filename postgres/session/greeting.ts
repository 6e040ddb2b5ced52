import { parseConnectionUrl } from "./connection_url.ts";
import { PostgresError } from "./errors.ts";
import { greetServer, type SocketOptions } from "./socket.ts";

/** Resolves as soon as a server, or a pooler before it, answers on a new connection; rejects if it does not until the abort, or cannot. */
export type Greet = (signal: AbortSignal) => Promise<void>;

/** Where to greet, in words of `DatabaseOptions`. */
export interface GreetingOptions extends Pick<SocketOptions, "certificateAuthority" | "mayReach"> {
  readonly url: string;
}

/**
 * Greets without a login: a pooler answers that by itself, whatever its connections to the server are busy with.
 *
 * @throws {PostgresError} one line, without the password, if the URL cannot be used.
 */
export function greetingOf({ url, certificateAuthority, mayReach }: GreetingOptions): Greet {
  const target = parseConnectionUrl(url);
  if (!target.ok) throw new PostgresError(target.fault, { kind: "condition" });
  return (signal) => greetServer(target.value, { certificateAuthority, mayReach, signal });
}
