import type { ClusterConfig } from "./transport.ts";

export type TokenSource = NonNullable<ClusterConfig["token"]>;

/** Whoever issues a token replaces it long before it expires; a minute is how long other clients remember one too. */
const TOKEN_AGE_MS = 60_000;

/** Remembers a token for a minute, or until it was refused. `now`: milliseconds of a clock that never jumps. */
export function rememberToken(read: TokenSource, now: () => number): TokenSource {
  let token = "";
  let readAt = -Infinity;
  return async (options) => {
    if (options.refresh || now() - readAt >= TOKEN_AGE_MS) {
      token = (await read(options)).trim();
      readAt = now();
    }
    return token;
  };
}
