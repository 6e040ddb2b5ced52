import type { Database } from "../../../postgres/session/client.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";

/** Why a database that an object names cannot be used. */
export interface Unavailability {
  /**
   * - `waiting`: it may come by itself, or somebody brings it;
   * - `unset`: the object names none where it must;
   * - `gone`: the server is no more, and nobody can change its tables;
   * - `refused`: the object must not use it.
   */
  readonly kind: "waiting" | "unset" | "gone" | "refused";
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
  /** The field that names it. */
  readonly path: string;
}

/** A database that cannot be used is one whose every use fails with this. */
export class DatabaseUnusable extends PostgresError {
  readonly why: Unavailability;

  constructor(why: Unavailability) {
    super(why.message, { kind: "condition" });
    this.why = why;
  }
}

/** Stands where a database would be. */
export function unusableDatabase(error: DatabaseUnusable): Database {
  return {
    address: "none",
    transaction: () => Promise.reject(error),
    concurrently: () => Promise.reject(error),
    close: () => Promise.resolve(),
  };
}
