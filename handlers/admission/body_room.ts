import type { Context, MiddlewareHandler, Next } from "hono";

/** As large as objects usually are, many times over; their number is limited, which limits their bytes too. */
const SMALL_BYTES = 65_536;

export interface BodyRoom {
  /** Bytes of all large bodies that are held at a time. */
  readonly room: number;
  /** Of one body; a larger one is refused anyway. */
  readonly largest: number;
}

/**
 * Answers 503 at once when too many bytes would have to be held. Small bodies need no room, so that large ones cannot keep usual reviews
 * out. A body is as large as it says; one that does not say may be the largest.
 */
export function limitBodyBytes({ room, largest }: BodyRoom): MiddlewareHandler {
  let held = 0;
  return async function limit(c: Context, next: Next): Promise<Response | void> {
    const bytes = Math.min(declaredBytes(c) ?? largest, largest);
    if (bytes <= SMALL_BYTES) return await next();
    if (held + bytes > room) return c.text("Cannot take another large review now", 503, { "retry-after": "1" });
    held += bytes;
    try {
      await next();
    } finally {
      held -= bytes;
    }
  };
}

function declaredBytes(c: Context): number | undefined {
  const declared = c.req.header("content-length");
  if (declared === undefined || c.req.header("transfer-encoding") !== undefined) return undefined;
  return /^\d+$/.test(declared) ? Number(declared) : undefined;
}
