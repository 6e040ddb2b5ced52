import type { Database } from "../../crds/database/types.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import type { DatabaseObjects } from "./objects.ts";

export type RecordEvent = (object: Database, event: {
  readonly type: "Normal" | "Warning";
  /** CamelCase. */
  readonly reason: string;
  readonly note: string;
}) => void;

/** A role whose password changes, and where its server is. */
export interface RoleLogin {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
}

/** What the loop works with. */
export interface DatabaseContext {
  readonly objects: DatabaseObjects;
  readonly recordEvent: RecordEvent;
  /**
   * Gives a PostgreSQL role another password, itself logged in with either of both.
   *
   * @throws {PostgresError} if the server cannot be reached or takes neither.
   */
  readonly changePassword: (
    login: RoleLogin,
    passwords: { readonly current: string; readonly next: string },
    signal: AbortSignal,
  ) => Promise<void>;
  readonly newPassword: () => string;
  readonly now: () => Date;
  /** Milliseconds of a clock that never jumps. */
  readonly uptime: () => number;
  readonly logger: Logger;
}
